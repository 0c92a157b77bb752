/**
 * Compiles a schema shape into a function from the typed value to a value for JSON.stringify.
 * Source: contract kms-iam-audit 1.1, glacier section 2.
 */
import { asBuffer } from '../base/bytes.ts';
import { memoised, type Shape } from './schema.ts';
import { formatHttpDate, formatIsoMillis } from './timestamp.ts';

export type JsonEncoder = (value: unknown) => unknown;

export interface JsonEncodeOptions {
  /** Glacier: members in alphabetical order, null for each that is absent. Otherwise schema order, absent ones left out. */
  readonly explicitNulls?: boolean;
}

export class JsonEncoderCompiler {
  readonly #compiled = memoised<JsonEncoder>((shape) => this.#build(shape));
  readonly #explicitNulls: boolean;

  constructor(options: JsonEncodeOptions = {}) {
    this.#explicitNulls = options.explicitNulls ?? false;
  }

  compile(shape: Shape): JsonEncoder {
    return this.#compiled(shape);
  }

  #build(shape: Shape): JsonEncoder {
    switch (shape.kind) {
      case 'struct':
        return this.#struct(shape);
      case 'list': {
        const encode = this.compile(shape.value!);
        return (value) => (value as readonly unknown[]).map(encode);
      }
      case 'map': {
        const encode = this.compile(shape.value!);
        return (value) => {
          const json = Object.create(null) as Record<string, unknown>;
          for (const [key, item] of Object.entries(value as Record<string, unknown>)) json[key] = encode(item);
          return json;
        };
      }
      case 'timestamp':
        if (shape.timestampFormat === 'date-time') return (value) => formatIsoMillis(value as Date);
        if (shape.timestampFormat === 'http-date') return (value) => formatHttpDate(value as Date);
        return (value) => (value as Date).getTime() / 1000;
      case 'blob':
        return (value) => asBuffer(value as Uint8Array).toString('base64');
      case 'unit':
        return () => ({});
      default:
        return (value) => value;
    }
  }

  #struct(shape: Shape): JsonEncoder {
    const members = shape.members.map((member) => ({ name: member.name, encode: this.compile(member.shape) }));
    if (this.#explicitNulls) members.sort((a, b) => (a.name < b.name ? -1 : 1));
    return (value) => {
      const json: Record<string, unknown> = {};
      for (const { name, encode } of members) {
        const item = (value as Record<string, unknown>)[name];
        if (item !== undefined && item !== null) json[name] = encode(item);
        else if (this.#explicitNulls) json[name] = null;
      }
      return json;
    };
  }
}
