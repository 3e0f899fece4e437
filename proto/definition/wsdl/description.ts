import { invalid } from '../clean.ts';
import type { FaultDetail } from '../../faults/fault.ts';
import { type Documents, wsdl } from './documents.ts';
import { ncName, refused, type Shape, type Shapes } from './shapes.ts';
import { childrenOf, localIn, referredName, uriIn, type XmlElement } from './xml.ts';

/** What of a description is to be imported. */
export interface DescriptionWish {
  /** Needed where there are several. */
  readonly service?: string | undefined;
  /** Those alone; all when absent. */
  readonly operations?: readonly string[] | undefined;
}

/** Versions of SOAP, the preferred one first. */
export type SoapVersion = '1.1' | '1.2';
const soapOf: Readonly<Record<SoapVersion, string>> = {
  '1.1': 'http://schemas.xmlsoap.org/wsdl/soap/',
  '1.2': 'http://schemas.xmlsoap.org/wsdl/soap12/',
};

/** A service with what it offers over HTTP. */
export interface Service {
  readonly name: string;
  readonly documentation: string | undefined;
  readonly version: SoapVersion;
  /** As it is written. */
  readonly address: string;
  readonly operations: readonly SoapOperation[];
}

/** An operation, and what is sent for it. */
export interface SoapOperation {
  readonly name: string;
  readonly documentation: string | undefined;
  readonly action: string;
  /** What stands in the body: an element at most. */
  readonly body: Shape | undefined;
  readonly headers: readonly Shape[];
}

/** Most operations of a service. */
const operationsMax = 500;

/** A port that SOAP over HTTP is spoken at. */
interface Port {
  readonly version: SoapVersion;
  readonly address: string;
  readonly binding: XmlElement;
}

/** Finds the service and its operations. Errors: request.invalid with everything that cannot be imported, by its line. */
export function readService(documents: Documents, shapes: Shapes, wish: DescriptionWish): Service {
  return new Description(documents, shapes).service(wish);
}

class Description {
  readonly #shapes: Shapes;
  readonly #services: readonly XmlElement[];
  /** Messages, port types and bindings. */
  readonly #known = new Map<string, XmlElement>();

  constructor({ definitions }: Documents, shapes: Shapes) {
    this.#shapes = shapes;
    this.#services = definitions.flatMap((each) => childrenOf(each, `{${wsdl}}service`));
    for (const each of definitions)
      for (const child of each.children) {
        const target = each.attributes.get('targetNamespace') ?? '';
        this.#known.set(`${child.local} {${target}}${child.attributes.get('name') ?? ''}`, child);
      }
  }

  service(wish: DescriptionWish): Service {
    const service = this.#chosen(wish.service);
    const name = service.attributes.get('name') ?? '';
    if (!ncName.test(name)) throw refused(service, 'the service has no name');
    const { binding, version, address } = this.#port(service);
    const operations = this.#operations(binding, version, wish.operations);
    return { name, documentation: documentationOf(service), version, address, operations };
  }

  #chosen(name: string | undefined): XmlElement {
    const names = this.#services.map(({ attributes }) => attributes.get('name') ?? '');
    const [first] = this.#services;
    if (first === undefined)
      throw invalid([{ path: '', message: 'has no service: nothing says where the backend is' }]);
    if (name === undefined && this.#services.length > 1)
      throw invalid([
        { path: '', message: `has several services; say in \`service\` which one: ${names.join(', ')}` },
      ]);
    const found = name === undefined ? first : this.#services[names.indexOf(name)];
    if (found === undefined)
      throw invalid([
        { path: '', message: `has no service ${JSON.stringify(name)}; it has ${names.join(', ')}` },
      ]);
    return found;
  }

  /** SOAP 1.1 before 1.2, and the first of each. */
  #port(service: XmlElement): Port {
    for (const version of ['1.1', '1.2'] as const)
      for (const port of childrenOf(service, `{${wsdl}}port`)) {
        const address = childrenOf(port, `{${soapOf[version]}}address`)[0]?.attributes.get('location');
        const binding = address === undefined ? undefined : this.#demand('binding', port, 'binding');
        const transport =
          binding && childrenOf(binding, `{${soapOf[version]}}binding`)[0]?.attributes.get('transport');
        if (address !== undefined && binding !== undefined && /\/(http|HTTP)\/?$/.test(transport ?? ''))
          return { version, address: address.trim(), binding };
      }
    throw refused(service, 'the service has no port of SOAP 1.1 or 1.2 over HTTP');
  }

  #operations(
    binding: XmlElement,
    version: SoapVersion,
    wanted: readonly string[] | undefined,
  ): readonly SoapOperation[] {
    const portType = this.#demand('portType', binding, 'type');
    const all = childrenOf(binding, `{${wsdl}}operation`);
    const names = all.map(({ attributes }) => attributes.get('name') ?? '');
    const missing = wanted?.filter((name) => !names.includes(name)) ?? [];
    const details: FaultDetail[] = missing.map((name) => ({
      path: '',
      message: `has no operation ${JSON.stringify(name)}; it has ${names.slice(0, 50).join(', ')}`,
    }));
    const chosen = all.filter(({ attributes }) => wanted?.includes(attributes.get('name') ?? '') ?? true);
    if (chosen.length > operationsMax)
      throw refused(
        binding,
        `there are more than ${operationsMax} operations; say in \`operations\` which are wanted`,
      );
    const read = chosen.flatMap((operation) => {
      try {
        return [this.#operation({ operation, binding, portType, version })];
      } catch (error) {
        details.push(...detailsOf(error, operation.attributes.get('name') ?? ''));
        return [];
      }
    });
    if (details.length > 0) throw invalid(details.slice(0, 50));
    return read;
  }

  #operation({ operation, binding, portType, version }: BoundOperation): SoapOperation {
    const soap = soapOf[version];
    const name = operation.attributes.get('name') ?? '';
    if (!ncName.test(name)) throw refused(operation, 'the operation has no name');
    const input = childrenOf(operation, `{${wsdl}}input`)[0];
    const how = childrenOf(operation, `{${soap}}operation`)[0];
    const style =
      how?.attributes.get('style') ??
      childrenOf(binding, `{${soap}}binding`)[0]?.attributes.get('style') ??
      'document';
    const abstract = this.#abstract(portType, operation);
    const message = this.#inputOf(abstract);
    const body = input && childrenOf(input, `{${soap}}body`)[0];
    if (body?.attributes.get('use') === 'encoded')
      throw refused(body, 'is of the SOAP encoding (use="encoded"), which is not written; literal is');
    const parts = bodyParts(message, body);
    return {
      name,
      documentation: documentationOf(abstract) ?? documentationOf(operation),
      action: how?.attributes.get('soapAction')?.trim() ?? '',
      body: style === 'rpc' ? this.#procedure(name, parts, body) : this.#documentBody(parts, operation),
      headers: this.#headers(input, soap),
    };
  }

  /** What the port type says of an operation. Of several with one name, the one with the same input. */
  #abstract(portType: XmlElement, operation: XmlElement): XmlElement {
    const name = operation.attributes.get('name');
    const input = childrenOf(operation, `{${wsdl}}input`)[0]?.attributes.get('name');
    const all = childrenOf(portType, `{${wsdl}}operation`).filter(
      (each) => each.attributes.get('name') === name,
    );
    const same = all.find((each) => childrenOf(each, `{${wsdl}}input`)[0]?.attributes.get('name') === input);
    const found = same ?? all[0];
    if (found === undefined) throw refused(operation, 'the port type has no such operation');
    if (all.length > 1)
      throw refused(operation, 'there are several operations of this name, which one path cannot tell apart');
    return found;
  }

  #inputOf(operation: XmlElement): XmlElement | undefined {
    const input = childrenOf(operation, `{${wsdl}}input`)[0];
    if (input === undefined)
      throw refused(operation, 'takes no input: what only the service sends is not called');
    return this.#demand('message', input, 'message');
  }

  /** The element that a part names is the body. */
  #documentBody(parts: readonly XmlElement[], from: XmlElement): Shape | undefined {
    const [part] = parts;
    if (part === undefined) return undefined;
    if (parts.length > 1) throw refused(from, 'has several parts in one body, which a document has not');
    const element = part.attributes.get('element');
    if (element === undefined) throw refused(part, 'names a type where a document needs an element');
    return this.#shapes.ofElement(referredName(part, element), part);
  }

  /** An element with the name of the operation, whose children are the parts. */
  #procedure(local: string, parts: readonly XmlElement[], body: XmlElement | undefined): Shape {
    const elements = parts.map((part) => {
      const type = part.attributes.get('type');
      if (type === undefined) throw refused(part, 'names an element where a procedure needs a type');
      return this.#shapes.ofType(part.attributes.get('name') ?? '', referredName(part, type), part);
    });
    return {
      local,
      uri: body?.attributes.get('namespace') ?? '',
      isRequired: true,
      isList: false,
      isNillable: false,
      content: { kind: 'elements', attributes: [], elements, value: undefined },
    };
  }

  #headers(input: XmlElement | undefined, soap: string): readonly Shape[] {
    const headers = input === undefined ? [] : childrenOf(input, `{${soap}}header`);
    return headers.map((header) => {
      const message = this.#demand('message', header, 'message');
      const part = childrenOf(message, `{${wsdl}}part`).find(
        ({ attributes }) => attributes.get('name') === header.attributes.get('part'),
      );
      const element = part?.attributes.get('element');
      if (part === undefined || element === undefined || header.attributes.get('use') === 'encoded')
        throw refused(header, 'the header is no element of a schema');
      return this.#shapes.ofElement(referredName(part, element), part);
    });
  }

  #demand(kind: 'message' | 'portType' | 'binding', from: XmlElement, attribute: string): XmlElement {
    const name = referredName(from, from.attributes.get(attribute) ?? '');
    const found = this.#known.get(`${kind} ${name}`);
    if (found === undefined) throw refused(from, `there is no ${kind} ${localIn(name)} in "${uriIn(name)}"`);
    return found;
  }
}

interface BoundOperation {
  readonly operation: XmlElement;
  readonly binding: XmlElement;
  readonly portType: XmlElement;
  readonly version: SoapVersion;
}

/** The parts that the body holds: those that it names, else all that no header of the same message takes. */
function bodyParts(message: XmlElement | undefined, body: XmlElement | undefined): readonly XmlElement[] {
  if (message === undefined) return [];
  const named = body?.attributes
    .get('parts')
    ?.split(/\s+/)
    .filter((name) => name !== '');
  const parts = childrenOf(message, `{${wsdl}}part`);
  return named === undefined
    ? parts
    : parts.filter(({ attributes }) => named.includes(attributes.get('name') ?? ''));
}

function documentationOf(element: XmlElement): string | undefined {
  const text = childrenOf(element, `{${wsdl}}documentation`)[0]?.text.replaceAll(/\s+/g, ' ') ?? '';
  return text === '' ? undefined : text.slice(0, 1_000);
}

function detailsOf(error: unknown, operation: string): readonly FaultDetail[] {
  if (!(error instanceof Error) || !('details' in error)) throw error;
  return (error.details as readonly FaultDetail[]).map(({ path, message }) => ({
    path,
    message: `operation ${JSON.stringify(operation.slice(0, 100))}: ${message}`,
  }));
}
