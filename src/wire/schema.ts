/**
 * A thin reading of the schemas that `@aws-sdk/client-*` export at run time: operations, members, bindings.
 * The compilers beside this file walk these once; nothing here runs for each request.
 * Source: @smithy/core/schema `NormalizedSchema`; an operation is [9, namespace, name, traits, input, output].
 */
import { NormalizedSchema } from '@smithy/core/schema';

/** Traits of a member or shape, member traits over the target's own. */
export interface Traits {
  readonly httpLabel?: 1;
  readonly httpPayload?: 1;
  readonly httpResponseCode?: 1;
  readonly httpHeader?: string;
  readonly httpPrefixHeaders?: string;
  readonly httpQuery?: string;
  readonly sensitive?: 1;
  readonly streaming?: 1;
  readonly xmlName?: string;
  readonly xmlFlattened?: 1;
  readonly xmlAttribute?: 1;
  readonly xmlNamespace?: readonly [string, string];
}

/** What a value is, as far as the four protocols tell values apart. */
export type Kind = 'string' | 'number' | 'boolean' | 'timestamp' | 'blob' | 'stream' | 'list' | 'map' | 'struct' | 'unit' | 'document';

export interface Member {
  readonly name: string;
  readonly required: boolean;
  /** Of the member itself, without the target's. */
  readonly own: Traits;
  readonly shape: Shape;
}

export type TimestampFormat = 'default' | 'date-time' | 'http-date' | 'epoch-seconds';

export interface Shape {
  readonly kind: Kind;
  readonly name: string;
  /** Traits of the target shape. */
  readonly traits: Traits;
  readonly timestampFormat: TimestampFormat;
  /** Of a structure or union, in model order. */
  readonly members: readonly Member[];
  readonly isUnion: boolean;
  /** Of a list or map. */
  readonly value: Shape | undefined;
  /** Traits of the list's element (xmlName). */
  readonly valueTraits: Traits;
}

export interface Operation {
  readonly name: string;
  readonly input: Shape;
  readonly output: Shape;
  /** Method, URI template, success status; absent in the RPC protocols. */
  readonly http: readonly [method: string, uri: string, status: number] | undefined;
}

const shapes = new Map<unknown, Shape>();

/** The shape behind a schema; the same schema gives the same object, so compilers can memoise on it. */
export function shapeOf(schema: NormalizedSchema): Shape {
  const raw = schema.getSchema() as unknown;
  const known = shapes.get(raw);
  if (known) return known;
  const kind = kindOf(schema);
  const shape: { -readonly [K in keyof Shape]: Shape[K] } = {
    kind,
    name: schema.getName() ?? '',
    traits: schema.getOwnTraits(),
    timestampFormat: timestampFormatOf(raw),
    members: [],
    isUnion: schema.isUnionSchema(),
    value: undefined,
    valueTraits: {},
  };
  // Registered before its members are read: shapes may contain themselves.
  shapes.set(raw, shape);
  if (kind === 'struct') {
    const requiredCount = (raw as readonly unknown[])[6] as number | undefined;
    shape.members = Array.from(schema.structIterator(), ([name, member], index) => ({
      name,
      required: index < (requiredCount ?? 0),
      own: member.getMemberTraits() as Traits,
      shape: shapeOf(member),
    }));
  } else if (kind === 'list' || kind === 'map') {
    const value = schema.getValueSchema();
    shape.value = shapeOf(value);
    shape.valueTraits = value.getMemberTraits();
  }
  return shape;
}

function kindOf(schema: NormalizedSchema): Kind {
  if (schema.isStructSchema()) return 'struct';
  if (schema.isListSchema()) return 'list';
  if (schema.isMapSchema()) return 'map';
  if (schema.getSchema() === 42) return 'stream';
  if (schema.isBlobSchema()) return schema.isStreaming() ? 'stream' : 'blob';
  if (schema.isTimestampSchema()) return 'timestamp';
  if (schema.isBooleanSchema()) return 'boolean';
  if (schema.isNumericSchema()) return 'number';
  if (schema.isStringSchema()) return 'string';
  if (schema.isUnitSchema()) return 'unit';
  if (schema.isDocumentSchema()) return 'document';
  throw new Error(`schema kind not known: ${schema.getName(true)}`);
}

function timestampFormatOf(raw: unknown): TimestampFormat {
  return raw === 5 ? 'date-time' : raw === 6 ? 'http-date' : raw === 7 ? 'epoch-seconds' : 'default';
}

/** Every operation that a client module exports, by name. */
export function operationsOf(module: object): Map<string, Operation> {
  const operations = new Map<string, Operation>();
  for (const value of Object.values(module) as unknown[]) {
    if (!Array.isArray(value) || value[0] !== 9) continue;
    const [, , name, traits, input, output] = value as [9, string, string, { http?: Operation['http'] } | number, never, never];
    operations.set(name, {
      name,
      // Read on demand: a service has up to 180 operations, a process uses a few.
      get input() {
        return shapeOf(NormalizedSchema.of(input));
      },
      get output() {
        return shapeOf(NormalizedSchema.of(output));
      },
      http: typeof traits === 'object' ? traits.http : undefined,
    });
  }
  return operations;
}

/**
 * Compiles each shape once. A shape inside itself meets a function that looks the finished one up when it is called,
 * for shapes may contain themselves.
 */
export function memoised<Compiled extends (...values: never[]) => unknown>(
  build: (shape: Shape, compile: (shape: Shape) => Compiled) => Compiled,
): (shape: Shape) => Compiled {
  const compiled = new Map<Shape, Compiled>();
  const compile = (shape: Shape): Compiled => {
    const known = compiled.get(shape);
    if (known) return known;
    compiled.set(shape, ((...values) => compiled.get(shape)!(...values)) as Compiled);
    const built = build(shape, compile);
    compiled.set(shape, built);
    return built;
  };
  return compile;
}
