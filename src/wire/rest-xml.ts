/**
 * S3's protocol: members in headers, query and one XML (or raw) payload. Compiles an operation into its codec; what
 * deviates from the schema comes from s3-exceptions.ts.
 * Source: contract s3-surface section 3; Smithy restXml.
 */
import { isUtf8 } from 'node:buffer';
import { ServiceError } from '../base/errors.ts';
import type { HttpResponse } from '../base/http.ts';
import type { S3Address } from './address.ts';
import { STRUCTURED_BODY_SIZE_BYTES_MAX, type BodyKind, type Codec } from './codec.ts';
import { decodeMetadataValue, encodeMetadataValue } from './header-text.ts';
import { bodyMembers, compileHeadDecoder, compileHeadEncoder, type BindingOptions } from './http-bindings.ts';
import * as exceptions from './s3-exceptions.ts';
import type { AllowedValues } from './s3-enums.ts';
import type { Member, Operation, Shape } from './schema.ts';
import { compileXmlDecoder, type XmlDecoder } from './xml-decode.ts';
import { XML_DECLARATION, XmlEncoderCompiler, type ElementEncoder } from './xml-encode.ts';
import { readXml, XmlError, XML_BOUNDS } from './xml-reader.ts';

export interface RestXmlCodec extends Codec {
  /** The answer's body alone, declaration included, for answers whose status line has already gone out. */
  encodeXmlDocument(output: Readonly<Record<string, unknown>>): string;
}

const METADATA_SIZE_BYTES_MAX = 2048;

export function compileRestXmlCodec(operation: Operation, allowedValues: AllowedValues): RestXmlCodec {
  const { name, input, output } = operation;
  const bindings = bindingOptions(name);
  const decodeMembers = compileHeadDecoder(input, bindings);
  const payload = compilePayload(operation, allowedValues);
  const encodeMembers = compileHeadEncoder(output, bindings);
  const body = compileBodyEncoder(operation);
  const hasBucket = input.members.some((member) => member.name === 'Bucket' && member.own.httpLabel);
  const hasKey = input.members.some((member) => member.name === 'Key' && member.own.httpLabel);
  const hasMetadata = input.members.some((member) => member.own.httpPrefixHeaders !== undefined);
  const status = exceptions.STATUS_BY_OPERATION[name] ?? operation.http![2];
  const partialWhenRanged = exceptions.PARTIAL_WHEN_RANGED.has(name);

  return {
    operation: name,
    bodyKind: payload.bodyKind,
    bodySizeBytesMax: exceptions.BODY_SIZE_BYTES_MAX[name] ?? STRUCTURED_BODY_SIZE_BYTES_MAX,
    payloadMember: payload.member,
    outputStreamMember: body.streamMember,
    decodeHead(request, address) {
      const decoded: Record<string, unknown> = {};
      const { bucket, key, query } = address as S3Address;
      if (hasBucket) decoded['Bucket'] = bucket;
      if (hasKey) decoded['Key'] = key;
      decodeMembers(request, query, decoded);
      if (hasMetadata && decoded['Metadata'] !== undefined) checkMetadataSize(decoded['Metadata'] as Record<string, string>);
      return decoded;
    },
    decodeBody: payload.decode,
    encode(value) {
      const headers: Record<string, string> = {};
      encodeMembers(value, headers);
      const response: HttpResponse = {
        status: value.$status ?? (partialWhenRanged && headers['content-range'] !== undefined ? 206 : status),
        headers,
      };
      body.encode(value, response);
      if (value.$headers) Object.assign(headers, value.$headers);
      return response;
    },
    encodeXmlDocument: body.document,
  };
}

function bindingOptions(operation: string): BindingOptions {
  return {
    badValue(where, value) {
      const message = exceptions.NUMBER_MESSAGES[where] ?? `The value for ${where} is not valid.`;
      return new ServiceError('InvalidArgument', 400, message, { details: { ArgumentName: where, ArgumentValue: value.slice(0, 256) } });
    },
    missing: (where) => new ServiceError('InvalidRequest', 400, exceptions.MISSING_MESSAGES[where] ?? `Missing required parameter for this request: ${where}.`),
    ignoredWhenMalformed: exceptions.IGNORED_WHEN_MALFORMED,
    textMembers: exceptions.TEXT_HEADER_MEMBERS,
    utf8Members: exceptions.UTF8_HEADER_MEMBERS,
    droppedMembers: exceptions.DROPPED_OUTPUT_MEMBERS,
    decodePrefixed: decodeMetadataValue,
    encodePrefixed: encodeMetadataValue,
    adjust: etagQuoting(operation),
  };
}

/** ETags leave quoted, whether or not the handler quoted them; bare from GetObjectAttributes. */
function etagQuoting(operation: string): (member: Member) => ((text: string) => string) | undefined {
  const adjust = operation === exceptions.BARE_ETAG_OPERATION ? bareEtag : quotedEtag;
  return (member) => (member.name === 'ETag' ? adjust : undefined);
}

const quotedEtag = (text: string): string => (text.charCodeAt(0) === 0x22 ? text : `"${text}"`);
const bareEtag = (text: string): string => text.replaceAll('"', '');

function checkMetadataSize(metadata: Readonly<Record<string, string>>): void {
  let sizeBytes = 0;
  for (const name in metadata) sizeBytes += name.length + Buffer.byteLength(metadata[name]!, 'utf8');
  if (sizeBytes > METADATA_SIZE_BYTES_MAX) {
    throw new ServiceError('MetadataTooLarge', 400, 'Your metadata headers exceed the maximum allowed metadata size', {
      details: { Size: String(sizeBytes), MaxSizeAllowed: String(METADATA_SIZE_BYTES_MAX) },
    });
  }
}

interface Payload {
  readonly bodyKind: BodyKind;
  readonly member: string | undefined;
  readonly decode: (body: Uint8Array, input: Record<string, unknown>) => void;
}

function compilePayload({ name, input }: Operation, allowedValues: AllowedValues): Payload {
  const members = bodyMembers(input);
  const payload = members.find((member) => member.own.httpPayload);
  if (payload === undefined) {
    if (members.length === 0) return { bodyKind: 'none', member: undefined, decode: () => undefined };
    // No payload member: the unbound members are the document's children, and the root is the input itself.
    const decode = documentDecoder(name, input.traits.xmlName ?? input.name, { ...input, members }, allowedValues);
    return { bodyKind: 'structured', member: undefined, decode: (body, target) => void Object.assign(target, decode(body)) };
  }
  if (payload.shape.kind === 'stream') return { bodyKind: 'stream', member: payload.name, decode: () => undefined };
  if (payload.shape.kind === 'string') {
    return {
      bodyKind: 'raw-string',
      member: payload.name,
      decode: (body, target) => {
        if (!isUtf8(body)) throw exceptions.malformedText();
        target[payload.name] = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
      },
    };
  }
  const decode = documentDecoder(name, rootName(payload), payload.shape, allowedValues);
  const emptyMeansEmpty = exceptions.EMPTY_BODY_MEANS_EMPTY.has(name);
  return {
    bodyKind: 'structured',
    member: payload.name,
    decode: (body, target) => {
      if (body.byteLength > 0) target[payload.name] = decode(body);
      else if (emptyMeansEmpty) target[payload.name] = {};
      else if (payload.required) throw new ServiceError('MissingRequestBodyError', 400, 'Request Body is empty');
    },
  };
}

function documentDecoder(operation: string, root: string, shape: Shape, allowedValues: AllowedValues): (body: Uint8Array) => unknown {
  const decode: XmlDecoder = compileXmlDecoder(shape, {
    ignoreUnknownElements: exceptions.UNKNOWN_ELEMENTS_IGNORED.has(operation),
    allowedValues,
  });
  const bounds = { ...XML_BOUNDS, sizeBytesMax: exceptions.BODY_SIZE_BYTES_MAX[operation] ?? XML_BOUNDS.sizeBytesMax };
  return (body) => {
    try {
      const element = readXml(body, bounds);
      if (element.name !== root) throw new XmlError(`root ${element.name}, not ${root}`);
      return decode(element);
    } catch (error) {
      if (!(error instanceof XmlError)) throw error;
      throw exceptions.malformedXml(operation, error);
    }
  };
}

function rootName(payload: Member): string {
  return payload.own.xmlName ?? payload.shape.traits.xmlName ?? payload.shape.name;
}

interface BodyEncoder {
  readonly streamMember: string | undefined;
  readonly encode: (value: Readonly<Record<string, unknown>>, response: HttpResponse) => void;
  readonly document: (value: Readonly<Record<string, unknown>>) => string;
}

function compileBodyEncoder({ name, output }: Operation): BodyEncoder {
  const members = bodyMembers(output);
  const payload = members.find((member) => member.own.httpPayload);
  if (members.length === 0) return { streamMember: undefined, encode: () => undefined, document: () => '' };
  if (payload?.shape.kind === 'stream') {
    const { name: member } = payload;
    const encode: BodyEncoder['encode'] = (value, response) => {
      if (value[member] !== undefined) response.body = value[member] as NonNullable<HttpResponse['body']>;
    };
    return { streamMember: member, encode, document: () => '' };
  }
  if (payload?.shape.kind === 'string') {
    const encode: BodyEncoder['encode'] = (value, response) => {
      response.headers['content-type'] = exceptions.RAW_STRING_CONTENT_TYPE;
      response.body = (value[payload.name] as string | undefined) ?? '';
    };
    return { streamMember: undefined, encode, document: (value) => String(value[payload.name] ?? '') };
  }
  if (payload && payload.shape.isUnion && payload.shape.traits.streaming) return { streamMember: payload.name, encode: () => undefined, document: () => '' };

  const element = payload ? payloadEncoder(name, payload) : documentEncoder(name, output, members);
  const document: BodyEncoder['document'] = (value) => XML_DECLARATION + element(value);
  return {
    streamMember: undefined,
    document,
    encode: (value, response) => {
      if (payload && value[payload.name] === undefined) return;
      response.headers['content-type'] = 'application/xml';
      response.body = document(value);
    },
  };
}

function payloadEncoder(operation: string, payload: Member): ElementEncoder {
  const encode = encoderCompiler(operation).root(rootName(payload), exceptions.S3_XML_NAMESPACE, payload.shape);
  return (value) => encode((value as Record<string, unknown>)[payload.name] ?? {});
}

function documentEncoder(operation: string, output: Shape, members: Member[]): ElementEncoder {
  const compiler = encoderCompiler(operation);
  const root = output.traits.xmlName ?? output.name;
  const valueMember = exceptions.ROOT_IS_VALUE[operation];
  if (valueMember !== undefined) {
    const encode = compiler.root(root, exceptions.S3_XML_NAMESPACE, members.find((member) => member.name === valueMember)!.shape);
    return (value) => encode((value as Record<string, unknown>)[valueMember] ?? '');
  }
  const interleaved = exceptions.INTERLEAVED[operation];
  if (interleaved === undefined) return compiler.root(root, exceptions.S3_XML_NAMESPACE, { ...output, members });

  const entryEncoders: Record<string, ElementEncoder> = {};
  for (const [kind, list] of Object.entries(interleaved.kinds)) {
    const member = members.find((candidate) => candidate.name === list)!;
    const encode = compiler.member(member);
    entryEncoders[kind] = (entry) => encode([entry]);
  }
  const replaced = new Set(Object.values(interleaved.kinds));
  // Content, not a document: the root's tags are put around both halves below.
  const rest = compiler.content({ ...output, members: members.filter((member) => !replaced.has(member.name)) });
  return (value) => {
    const entries = ((value as Record<string, unknown>)[interleaved.member] ?? []) as readonly { kind: string }[];
    let text = '';
    for (const entry of entries) text += entryEncoders[entry.kind]!(entry);
    return `<${root} xmlns="${exceptions.S3_XML_NAMESPACE}">${rest(value)}${text}</${root}>`;
  };
}

function encoderCompiler(operation: string): XmlEncoderCompiler {
  return new XmlEncoderCompiler({ adjust: etagQuoting(operation) });
}
