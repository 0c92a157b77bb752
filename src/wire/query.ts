/**
 * AWS Query, the protocol of IAM and STS: parameters in a form, answers in XML.
 * Source: contract kms-iam-audit 1.2.
 */
import { decodeBase64 } from '../base/bytes.ts';
import { ServiceError } from '../base/errors.ts';
import type { Address } from './address.ts';
import { STRUCTURED_BODY_SIZE_BYTES_MAX, type Codec } from './codec.ts';
import { QUERY_XML_NAMESPACE } from './errors.ts';
import { readForm, type FormNode } from './form.ts';
import { missingMembers } from './required.ts';
import { memoised, type Operation, type Shape } from './schema.ts';
import { parseIsoDate } from './timestamp.ts';
import { escapeXml, XmlEncoderCompiler } from './xml-encode.ts';

type FormDecoder = (node: FormNode, name: string) => unknown;

const API_VERSION: Readonly<Record<'iam' | 'sts', string>> = { iam: '2010-05-08', sts: '2011-06-15' };
const NO_QUERY: ReadonlyMap<string, string> = new Map();
const INT_MAX = 2 ** 31 - 1;
/** List indexes may leave gaps up to here. [validated] */
const GAP_MAX = 10;

/** The operation that `Action` names. Throws ServiceError MissingAction or InvalidAction (400), MalformedInput (400). */
export function routeQuery(service: 'iam' | 'sts', address: Address, body: Uint8Array | undefined, operations: ReadonlyMap<string, Operation>): string {
  const form = formOf(body, address.query);
  const action = form.children.get('Action')?.value;
  if (action === undefined || action === '') throw new ServiceError('MissingAction', 400, 'The request must contain the parameter Action.');
  const version = form.children.get('Version')?.value ?? API_VERSION[service];
  if (!operations.has(action) || version !== API_VERSION[service]) {
    throw new ServiceError('InvalidAction', 400, `Could not find operation ${action.slice(0, 128)} for version ${version.slice(0, 32)}`);
  }
  return action;
}

/** One set of compilers a service. */
export function queryCompiler(service: 'iam' | 'sts'): (operation: Operation) => Codec {
  const encoders = new XmlEncoderCompiler({ wholeSeconds: true });
  const namespace = QUERY_XML_NAMESPACE[service];
  const compile = memoised(buildFormDecoder);
  return ({ name, input, output }) => {
    const decode = compile(input);
    const missing = missingMembers(input);
    const content = output.kind === 'unit' ? undefined : encoders.content(output);
    return {
      operation: name,
      bodyKind: 'structured',
      bodySizeBytesMax: STRUCTURED_BODY_SIZE_BYTES_MAX,
      payloadMember: undefined,
      outputStreamMember: undefined,
      // Parameters may stand in the query string (presigned GetCallerIdentity); those of the body win.
      decodeHead: (_request, address) => {
        if (!address.query.has('Action')) return {};
        return decode(formOf(undefined, address.query), '') as Record<string, unknown>;
      },
      decodeBody(body, decoded) {
        if (body.byteLength > 0) Object.assign(decoded, decode(formOf(body, NO_QUERY), ''));
        const violation = missing(decoded);
        if (violation !== undefined) throw new ServiceError('ValidationError', 400, violation);
      },
      encode(value, requestId = '') {
        const result = content === undefined ? '' : `<${name}Result>${content(value)}</${name}Result>`;
        const headers: Record<string, string> = { 'content-type': 'text/xml' };
        if (value.$headers) Object.assign(headers, value.$headers);
        return {
          status: value.$status ?? 200,
          headers,
          body:
            `<${name}Response xmlns="${namespace}">${result}<ResponseMetadata><RequestId>${escapeXml(requestId)}</RequestId></ResponseMetadata></${name}Response>`,
        };
      },
    };
  };
}

function formOf(body: Uint8Array | undefined, query: ReadonlyMap<string, string>): FormNode {
  const form = body && body.byteLength > STRUCTURED_BODY_SIZE_BYTES_MAX ? undefined : readForm(body, query);
  if (!form) throw malformed('The request parameters could not be decoded.');
  return form;
}

function buildFormDecoder(shape: Shape, compile: (shape: Shape) => FormDecoder): FormDecoder {
  switch (shape.kind) {
    case 'struct': {
      const members = shape.members.map((member) => ({ name: member.name, decode: compile(member.shape) }));
      return (node) => {
        const value: Record<string, unknown> = {};
        for (const { name, decode } of members) {
          const child = node.children.get(name);
          const item = child && decode(child, name);
          if (item !== undefined) value[name] = item;
        }
        return value;
      };
    }
    case 'list': {
      const decode = compile(shape.value!);
      return (node, name) => {
        const list = node.children.get('member');
        // Clients write an empty list as an empty parameter.
        if (!list) return node.value === '' ? [] : undefined;
        return inOrder(list).map((item) => decode(item, name)).filter((item) => item !== undefined);
      };
    }
    case 'map': {
      const decode = compile(shape.value!);
      return (node, name) => {
        const entries = node.children.get('entry');
        if (!entries) return undefined;
        // Without prototype: `__proto__` is a key like any other.
        const map = Object.create(null) as Record<string, unknown>;
        for (const entry of inOrder(entries)) {
          const key = entry.children.get('key')?.value;
          const value = entry.children.get('value');
          if (key === undefined || !value) throw malformed(`An entry of ${name} lacks its key or value.`);
          map[key] = decode(value, name);
        }
        return map;
      };
    }
    case 'unit':
      return () => ({});
    default: {
      const parse = scalarParser(shape);
      return (node, name) => {
        if (node.value === undefined) return undefined;
        const value = parse(node.value);
        if (value === undefined) throw malformed(`The value of ${name} is not a valid ${shape.kind === 'number' ? 'integer' : shape.kind}.`);
        return value;
      };
    }
  }
}

/** Elements by index, whatever order they came in. Throws ServiceError MalformedInput for bad or sparse indexes. */
function inOrder(list: FormNode): FormNode[] {
  const byIndex = new Map<number, FormNode>();
  for (const [text, node] of list.children) {
    if (text.startsWith('-')) throw malformed(`Key ${text.slice(0, 32)} may not have a leading '-'`);
    const index = /^\d{1,9}$/.test(text) ? Number(text) : 0;
    if (index === 0) throw malformed(`${text.slice(0, 32)} is not a valid index`);
    if (!byIndex.has(index)) byIndex.set(index, node);
  }
  let previous = 0;
  return [...byIndex]
    .sort(([a], [b]) => a - b)
    .map(([index, node]) => {
      const skipped = index - previous - 1;
      if (skipped > GAP_MAX) throw malformed(`Excessively sparse input would skip ${skipped} list elements`);
      previous = index;
      return node;
    });
}

function scalarParser(shape: Shape): (text: string) => unknown {
  switch (shape.kind) {
    case 'string':
      return (text) => text;
    case 'number':
      return (text) => {
        const value = /^[+-]?\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
        return Math.abs(value) <= INT_MAX ? value + 0 : undefined;
      };
    case 'boolean':
      return (text) => (text === 'true' || text === '1' ? true : text === 'false' || text === '0' ? false : undefined);
    case 'timestamp':
      return parseIsoDate;
    case 'blob':
      return decodeBase64;
    default:
      throw new Error(`no form reading for ${shape.kind} ${shape.name}`);
  }
}

function malformed(message: string): ServiceError {
  return new ServiceError('MalformedInput', 400, message);
}
