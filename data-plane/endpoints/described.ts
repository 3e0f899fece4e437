import { createHash } from 'node:crypto';

import { Fault } from '../../proto/faults/fault.ts';
import type { Template } from '../../proto/expression/template.ts';
import type { EndpointDefinition, EndpointGroupDefinition } from '../../proto/model/api.ts';
import { configurationOf, healthCheckOf, targetSchema } from '../../proto/model/api.ts';
import { headerValueSchema } from '../../proto/model/head-text.ts';
import type { Guard } from '../../proto/process/outbound/guard.ts';
import type { Weighted } from './balancing.ts';
import type { EndpointCheck } from './health/board.ts';
import { templateOf } from './health/compiled.ts';
import { type CalledUrl, calledUrlOf } from './called-url.ts';
import { type DefinedOptions, upstreamOptions } from './options.ts';

/** An endpoint as it is known before there are pools. */
export interface Described {
  readonly name: string;
  readonly share: Weighted;
  readonly written: Template<string>;
  readonly optionsOf: (called: CalledUrl) => DefinedOptions;
  readonly headers: readonly { readonly name: string; readonly value: Template<string> }[];
  readonly propagatesHost: boolean;
  /** Whether its redirects are followed here, instead of by the client. */
  readonly followsRedirects: boolean;
  readonly propagatesEncodings: boolean;
  /** Undefined where nobody checks it. */
  readonly check: EndpointCheck | undefined;
}

/** Where an endpoint stands in its definition. */
export interface DefinedAt {
  readonly g: number;
  readonly e: number;
}

/** Stands for the host that a request will name, so that stores and files are judged when the definition is loaded. */
const anyHost = calledUrlOf('https://host.invalid');

/**
 * Works out what of an endpoint does not depend on a request, and what an operator must be warned of.
 *
 * Errors: request.invalid when it cannot be used on this gateway, or leads to an address that it may not call.
 */
export function describe(
  group: EndpointGroupDefinition,
  endpoint: EndpointDefinition,
  { at: { g, e }, guard }: { readonly at: DefinedAt; readonly guard: Guard },
): { readonly described: Described; readonly warnings: readonly string[] } {
  const path = `endpointGroups[${g}].endpoints[${e}]`;
  const configuration = configurationOf(group, endpoint);
  const written = templateOf(endpoint.configuration.target, targetSchema);
  const at = endpoint.inheritConfiguration
    ? `endpointGroups[${g}].sharedConfiguration`
    : `${path}.sharedConfigurationOverride`;
  const place = { at, environment: process.env };
  const called = written.kind === 'constant' ? calledUrlOf(written.value) : anyHost;
  const { options, warnings } = upstreamOptions(called, configuration, place);
  if (written.kind === 'constant') refuseDenied(options, guard, `${path}.configuration.target`);
  const optionsOf = (asked: CalledUrl): DefinedOptions =>
    asked.text === called.text ? options : upstreamOptions(asked, configuration, place).options;
  const headers = configuration.headers.map(({ name, value }) => ({
    name,
    value: templateOf(value, headerValueSchema),
  }));
  const definition = healthCheckOf(group, endpoint);
  if (definition !== undefined && targetSchema.safeParse(definition.target).success)
    refuseDenied(
      optionsOf(calledUrlOf(definition.target)),
      guard,
      endpoint.services?.healthCheck?.overrideConfiguration === true
        ? `${path}.services.healthCheck.configuration.target`
        : `endpointGroups[${g}].services.healthCheck.configuration.target`,
    );
  return {
    warnings,
    described: {
      name: endpoint.name,
      share: { weight: endpoint.weight, secondary: endpoint.secondary },
      written,
      optionsOf,
      headers,
      propagatesHost: configuration.http.propagateClientHost,
      followsRedirects: configuration.http.followRedirects,
      propagatesEncodings:
        configuration.http.useCompression || configuration.http.propagateClientAcceptEncoding,
      check:
        definition === undefined
          ? undefined
          : {
              group: group.name,
              endpoint: endpoint.name,
              place: createHash('sha256')
                .update(JSON.stringify([endpoint.configuration.target, configuration]))
                .digest('base64url'),
              definition,
              endpointTarget: written,
              endpointHeaders: headers,
              optionsOf,
            },
    },
  };
}

function refuseDenied(
  { host, port }: Pick<DefinedOptions, 'host' | 'port'>,
  guard: Guard,
  path: string,
): void {
  try {
    guard.checkHost({ host, port });
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const message = `leads to ${host}:${port}, which this gateway may not call (settings upstream.allow, upstream.deny)`;
    throw new Fault('request.invalid', { details: [{ path, message }] });
  }
}
