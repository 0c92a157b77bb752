/**
 * Compiles a schema shape into a function from a parsed JSON value to the typed value, strictly: every value of its
 * type, unknown members ignored, null counts as absent.
 * Source: contract kms-iam-audit 1.1.
 */
import { decodeBase64 } from '../base/bytes.ts';
import { memoised, type Shape } from './schema.ts';
import { parseEpochSeconds, parseHttpDate, parseIsoDate } from './timestamp.ts';

/** The JSON is none, or a value in it is of the wrong type. The message is shown to the caller: it quotes no value. */
export class JsonError extends Error {}

export type JsonDecoder = (json: unknown) => unknown;

/** Deep nesting costs memory before any schema has looked at it. */
const DEPTH_MAX = 64;

/** A JSON object; an empty body is an empty one. Throws JsonError. */
export function readJsonObject(body: Uint8Array, sizeBytesMax: number): Record<string, unknown> {
  if (body.byteLength === 0) return {};
  if (body.byteLength > sizeBytesMax) throw new JsonError('Request body is too large.');
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
  if (depthOf(body) > DEPTH_MAX) throw new JsonError('Request body is nested too deeply.');
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new JsonError('Request body is not valid JSON.');
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw new JsonError('Start of structure expected.');
  return json as Record<string, unknown>;
}

function depthOf(body: Uint8Array): number {
  let depth = 0;
  let depthMax = 0;
  let inString = false;
  for (let index = 0; index < body.length; index++) {
    const byte = body[index];
    if (inString) {
      if (byte === 0x5c) index++;
      else if (byte === 0x22) inString = false;
    } else if (byte === 0x22) inString = true;
    else if (byte === 0x7b || byte === 0x5b) depthMax = Math.max(depthMax, ++depth);
    else if (byte === 0x7d || byte === 0x5d) depth--;
  }
  return depthMax;
}

/** Compiles once per shape; decoders share what they can. */
export class JsonDecoderCompiler {
  readonly #compiled = memoised<JsonDecoder>((shape) => this.#build(shape));

  compile(shape: Shape): JsonDecoder {
    return this.#compiled(shape);
  }

  #build(shape: Shape): JsonDecoder {
    switch (shape.kind) {
      case 'struct':
        return this.#struct(shape);
      case 'list': {
        const decode = this.compile(shape.value!);
        return (json) => {
          if (!Array.isArray(json)) throw wrongType(json, 'List');
          return json.map(decode);
        };
      }
      case 'map': {
        const decode = this.compile(shape.value!);
        return (json) => {
          if (!isObject(json)) throw wrongType(json, 'Map');
          // Without prototype: `__proto__` is a key like any other.
          const map = Object.create(null) as Record<string, unknown>;
          for (const key of Object.keys(json)) map[key] = decode(json[key]);
          return map;
        };
      }
      case 'string':
        return (json) => {
          if (typeof json !== 'string') throw wrongType(json, 'String');
          return json;
        };
      case 'number':
        return (json) => {
          if (typeof json !== 'number' || !Number.isSafeInteger(json)) throw wrongType(json, 'Integer');
          return json + 0;
        };
      case 'boolean':
        return (json) => {
          if (typeof json !== 'boolean') throw wrongType(json, 'Boolean');
          return json;
        };
      case 'timestamp':
        return timestampDecoder(shape);
      case 'blob':
        return (json) => {
          const bytes = typeof json === 'string' ? decodeBase64(json) : undefined;
          if (!bytes) throw wrongType(json, 'Blob');
          return bytes;
        };
      case 'unit':
        return () => ({});
      default:
        throw new Error(`no JSON reading for ${shape.kind} ${shape.name}`);
    }
  }

  #struct(shape: Shape): JsonDecoder {
    const members = shape.members.map((member) => ({ name: member.name, decode: this.compile(member.shape) }));
    return (json) => {
      if (!isObject(json)) throw wrongType(json, 'Structure');
      const value: Record<string, unknown> = {};
      let count = 0;
      for (const { name, decode } of members) {
        const item = Object.hasOwn(json, name) ? json[name] : undefined;
        if (item === undefined || item === null) continue;
        value[name] = decode(item);
        count++;
      }
      if (shape.isUnion && count !== 1) throw new JsonError(`Union ${shape.name} must have exactly one member.`);
      return value;
    };
  }
}

function timestampDecoder(shape: Shape): JsonDecoder {
  return (json) => {
    let date: Date | undefined;
    if (typeof json === 'number') date = parseEpochSeconds(json);
    else if (typeof json === 'string' && shape.timestampFormat === 'date-time') date = parseIsoDate(json);
    else if (typeof json === 'string' && shape.timestampFormat === 'http-date') date = parseHttpDate(json);
    if (!date) throw wrongType(json, 'Timestamp');
    return date;
  };
}

function isObject(json: unknown): json is Record<string, unknown> {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}

function wrongType(json: unknown, wanted: string): JsonError {
  if (Array.isArray(json)) return new JsonError('Start of list found where not expected.');
  if (json === null) return new JsonError(`NULL_VALUE cannot be converted to ${wanted}`);
  switch (typeof json) {
    case 'object':
      return new JsonError('Start of structure or map found where not expected.');
    case 'number':
      return new JsonError(`NUMBER_VALUE cannot be converted to ${wanted}`);
    case 'boolean':
      return new JsonError(`${json ? 'TRUE' : 'FALSE'}_VALUE cannot be converted to ${wanted}`);
    default:
      return new JsonError(`STRING_VALUE cannot be converted to ${wanted}`);
  }
}
