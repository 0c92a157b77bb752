/**
 * Glacier's protocol: members in path, query and headers, JSON or raw bytes in the body, explicit nulls in answers.
 * Source: contract glacier section 2 and 3; Smithy restJson1.
 */
import { ServiceError } from '../base/errors.ts';
import type { HttpRequest, HttpResponse } from '../base/http.ts';
import type { Address } from './address.ts';
import { STRUCTURED_BODY_SIZE_BYTES_MAX, type BodyKind, type Codec } from './codec.ts';
import { bodyMembers, compileHeadDecoder, compileHeadEncoder, type BindingOptions } from './http-bindings.ts';
import { JsonDecoderCompiler, JsonError, readJsonObject } from './json-decode.ts';
import { JsonEncoderCompiler } from './json-encode.ts';
import { percentDecode } from './percent.ts';
import type { Operation, Shape } from './schema.ts';

const CONTENT_TYPE = 'application/json';
const API_VERSION = '2012-06-01';
/** The guide's syntax block wraps InitiateJob's members, its examples do not: both are taken. [choice] */
const OPTIONAL_WRAPPERS: Readonly<Record<string, string>> = { InitiateJob: 'jobParameters' };

interface Template {
  readonly operation: string;
  readonly method: string;
  /** A text, or undefined where a label stands. */
  readonly segments: readonly (string | undefined)[];
  readonly literals: readonly (readonly [name: string, value: string])[];
}

/** Compiles the URI templates once. Throws ServiceError for a bad API version (400) and for what is no operation (404, 405). */
export function compileRestJsonRouter(operations: ReadonlyMap<string, Operation>): (request: HttpRequest, address: Address) => string {
  const templates = [...operations.values()].map(templateOf);
  return (request, address) => {
    const version = request.headers['x-amz-glacier-version'];
    if (version === undefined) throw new ServiceError('MissingParameterValueException', 400, 'Required parameter missing: API version');
    if (version !== API_VERSION) throw new ServiceError('InvalidParameterValueException', 400, `Invalid API version: ${version.slice(0, 32)}`);
    const segments = request.rawPath.split('/').slice(1);
    const onPath = templates.filter((template) => fits(template, segments));
    const chosen = onPath.find(({ method, literals }) => method === request.method && literals.every(([name, value]) => address.query.get(name) === value));
    if (chosen) return chosen.operation;
    if (onPath.length > 0 && !onPath.some(({ method }) => method === request.method)) {
      throw new ServiceError('MethodNotAllowedException', 405, 'The specified method is not allowed against this resource.');
    }
    throw new ServiceError('UnknownOperationException', 404, undefined);
  };
}

function templateOf(operation: Operation): Template {
  const [method, uri] = operation.http!;
  const [path = '', query = ''] = uri.split('?');
  return {
    operation: operation.name,
    method,
    segments: path.split('/').slice(1).map((segment) => (segment.startsWith('{') ? undefined : segment)),
    literals: query.split('&').filter((part) => part !== '').map((part) => part.split('=') as [string, string]),
  };
}

function fits({ segments }: Template, path: readonly string[]): boolean {
  return segments.length === path.length && segments.every((segment, index) => (segment === undefined ? path[index] !== '' : segment === path[index]));
}

/** One set of compilers a service. */
export function restJsonCompiler(): (operation: Operation) => Codec {
  const decoders = new JsonDecoderCompiler();
  const encoders = new JsonEncoderCompiler({ explicitNulls: true });
  return (operation) => {
    const { name, input, output } = operation;
    const decodeMembers = compileHeadDecoder(input, BINDINGS);
    const labels = operation.http![1].split('?')[0]!.split('/').map((segment, index) => ({ index, label: segment.startsWith('{') ? segment.slice(1, -1) : undefined }));
    const payload = compilePayload(name, input, decoders);
    const encodeMembers = compileHeadEncoder(output, BINDINGS);
    const body = compileBody(output, encoders);
    const status = operation.http![2];
    const statusMember = output.members.find((member) => member.own.httpResponseCode)?.name;
    return {
      operation: name,
      bodyKind: payload.bodyKind,
      bodySizeBytesMax: STRUCTURED_BODY_SIZE_BYTES_MAX,
      payloadMember: payload.member,
      outputStreamMember: body.streamMember,
      decodeHead(request, address) {
        const decoded: Record<string, unknown> = {};
        const segments = request.rawPath.split('/');
        for (const { index, label } of labels) {
          if (label === undefined) continue;
          const text = percentDecode(segments[index] ?? '', false);
          if (text === undefined) throw new ServiceError('InvalidParameterValueException', 400, `Invalid value for ${label}`);
          decoded[label] = text;
        }
        decodeMembers(request, address.query, decoded);
        return decoded;
      },
      decodeBody: payload.decode,
      encode(value) {
        const headers: Record<string, string> = {};
        encodeMembers(value, headers);
        const response: HttpResponse = { status: value.$status ?? ((statusMember && (value[statusMember] as number | undefined)) || status), headers };
        body.encode(value, response);
        if (value.$headers) Object.assign(headers, value.$headers);
        return response;
      },
    };
  };
}

const BINDINGS: BindingOptions = {
  badValue: (where, value) => new ServiceError('InvalidParameterValueException', 400, `Invalid ${where}: ${value.slice(0, 128)}`),
  missing: (where) => new ServiceError('MissingParameterValueException', 400, `Required parameter missing: ${where}`),
};

interface Payload {
  readonly bodyKind: BodyKind;
  readonly member: string | undefined;
  readonly decode: Codec['decodeBody'];
}

function compilePayload(operation: string, input: Shape, decoders: JsonDecoderCompiler): Payload {
  const members = bodyMembers(input);
  const payload = members.find((member) => member.own.httpPayload);
  if (payload?.shape.kind === 'stream') return { bodyKind: 'stream', member: payload.name, decode: () => undefined };
  if (members.length === 0) return { bodyKind: 'none', member: undefined, decode: () => undefined };
  const decode = decoders.compile(payload ? payload.shape : { ...input, members });
  const wrapper = OPTIONAL_WRAPPERS[operation];
  return {
    bodyKind: 'structured',
    member: payload?.name,
    decode(body, decoded) {
      if (body.byteLength === 0) return;
      try {
        let json: unknown = readJsonObject(body, STRUCTURED_BODY_SIZE_BYTES_MAX);
        if (wrapper !== undefined && Object.hasOwn(json as object, wrapper)) json = (json as Record<string, unknown>)[wrapper];
        const value = decode(json) as object;
        // The JS SDK writes an absent payload as `{}`.
        if (!payload) Object.assign(decoded, value);
        else if (Object.keys(value).length > 0) decoded[payload.name] = value;
      } catch (error) {
        if (!(error instanceof JsonError)) throw error;
        throw new ServiceError('SerializationException', 400, error.message);
      }
    },
  };
}

interface BodyEncoder {
  readonly streamMember: string | undefined;
  readonly encode: (value: Readonly<Record<string, unknown>>, response: HttpResponse) => void;
}

function compileBody(output: Shape, encoders: JsonEncoderCompiler): BodyEncoder {
  const members = output.kind === 'struct' ? bodyMembers(output) : [];
  if (members.length === 0) return { streamMember: undefined, encode: () => undefined };
  const payload = members.find((member) => member.own.httpPayload);
  if (payload?.shape.kind === 'stream') {
    const { name } = payload;
    return {
      streamMember: name,
      encode: (value, response) => {
        if (value[name] !== undefined) response.body = value[name] as NonNullable<HttpResponse['body']>;
      },
    };
  }
  const encode = encoders.compile(payload ? payload.shape : { ...output, members });
  return {
    streamMember: undefined,
    encode: (value, response) => {
      response.headers['content-type'] = CONTENT_TYPE;
      response.body = JSON.stringify(encode(payload ? (value[payload.name] ?? {}) : value));
    },
  };
}
