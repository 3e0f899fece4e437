import { createHash } from 'node:crypto';

import { Fault } from '../../proto/faults/fault.ts';
import type { JudgePieces, Template } from '../../proto/expression/template.ts';
import type { EndpointDefinition, EndpointGroupDefinition } from '../../proto/model/api.ts';
import {
  configurationOf,
  healthCheckOf,
  sharedConfigurationSchema,
  targetSchema,
} from '../../proto/model/api.ts';
import { headerValueSchema } from '../../proto/model/head-text.ts';
import type { Guard } from '../../proto/process/outbound/guard.ts';
import type { Weighted } from './balancing.ts';
import type { Discovery } from './discovery/board.ts';
import type { EndpointCheck } from './health/board.ts';
import { templateOf } from './health/compiled.ts';
import { type CalledUrl, calledUrlOf } from './called-url.ts';
import { type DefinedOptions, upstreamOptions } from './options.ts';
import { readsFiles } from './stores.ts';

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
  /** Its stores are files of this gateway. */
  readonly readsFiles: boolean;
  /** Undefined where nobody checks it. */
  readonly check: EndpointCheck | undefined;
}

/** Where an endpoint stands in its definition. */
export interface DefinedAt {
  readonly g: number;
  readonly e: number;
}

interface DescribedAt {
  readonly at: DefinedAt;
  readonly guard: Guard;
  /** Asked of a target that an expression writes. */
  readonly judgeTarget: JudgePieces;
  /** What is dialled for the target's host; undefined where its name is looked up. */
  readonly address?: string | undefined;
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
  { at: { g, e }, guard, judgeTarget, address }: DescribedAt,
): { readonly described: Described; readonly warnings: readonly string[] } {
  const path = `endpointGroups[${g}].endpoints[${e}]`;
  const configuration = configurationOf(group, endpoint);
  const written = templateOf(endpoint.configuration.target, targetSchema, { judge: judgeTarget });
  const at = endpoint.inheritConfiguration
    ? `endpointGroups[${g}].sharedConfiguration`
    : `${path}.sharedConfigurationOverride`;
  const place = { at, environment: process.env };
  const called = written.kind === 'constant' ? calledUrlOf(written.value) : anyHost;
  // Whoever was looked up here is dialled where he was found, and recognised by his name.
  const dialled = (asked: CalledUrl, options: DefinedOptions): DefinedOptions =>
    address === undefined || asked.url.host !== called.url.host
      ? options
      : { ...options, host: address, foundBy: options.host };
  const { options: asWritten, warnings } = upstreamOptions(called, configuration, place);
  const options = dialled(called, asWritten);
  if (written.kind === 'constant') refuseDenied(asWritten, guard, `${path}.configuration.target`);
  const optionsOf = (asked: CalledUrl): DefinedOptions =>
    asked.text === called.text
      ? options
      : dialled(asked, upstreamOptions(asked, configuration, place).options);
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
      readsFiles: readsFiles(configuration.ssl),
      check:
        definition === undefined
          ? undefined
          : {
              group: group.name,
              endpoint: endpoint.name,
              place: digest([endpoint.configuration.target, configuration, address]),
              definition,
              endpointTarget: written,
              endpointHeaders: headers,
              optionsOf,
            },
    },
  };
}

/**
 * Works out how endpoints of a group are found; undefined where they are not.
 *
 * Errors: request.invalid when whoever is to be asked may not be, or a store cannot be used.
 */
export function describeDiscovery(
  { name, services, endpoints }: EndpointGroupDefinition,
  { g, guard }: { readonly g: number; readonly guard: Guard },
): Discovery | undefined {
  const definition = services?.discovery;
  if (definition === undefined) return undefined;
  const at = `endpointGroups[${g}].services.discovery.configuration`;
  const defaults = sharedConfigurationSchema.parse({});
  const isConsul = definition.type === 'consul-service-discovery';
  const ssl = isConsul ? definition.configuration.ssl : defaults.ssl;
  const optionsOf = (called: CalledUrl): DefinedOptions =>
    upstreamOptions(called, { ...defaults, ssl }, { at, environment: process.env }).options;
  if (isConsul) refuseDenied(optionsOf(calledUrlOf(definition.configuration.url)), guard, `${at}.url`);
  else {
    const { host, port = 0 } = definition.configuration;
    refuseDenied({ host: host.toLowerCase(), port }, guard, `${at}.host`);
  }
  const subject = isConsul
    ? [definition.configuration.service, definition.configuration.dc]
    : definition.configuration;
  return {
    group: name,
    subject: digest([definition.type, subject]),
    way: digest(definition.configuration),
    definition,
    isAlone: endpoints.length === 0,
    optionsOf,
  };
}

const digest = (of: unknown): string => createHash('sha256').update(JSON.stringify(of)).digest('base64url');

/** What is said of an address that the settings of a gateway leave out. */
export const mayNotCall = 'this gateway may not call (settings upstream.allow, upstream.deny)';

function refuseDenied(
  { host, port }: Pick<DefinedOptions, 'host' | 'port'>,
  guard: Guard,
  path: string,
): void {
  try {
    guard.checkHost({ host, port });
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const message = `leads to ${host}:${port}, which ${mayNotCall}`;
    throw new Fault('request.invalid', { details: [{ path, message }] });
  }
}
