/**
 * A WebAssembly module written down as functions of instructions: just enough of the binary format
 * for the CRC kernels, so that they need no compiler, no binary in the repository and no build step.
 * What the kernels do is not known here.
 *
 * Source: WebAssembly Core Specification 2.0, chapter 5 "Binary Format" (modules, LEB128, opcodes).
 */

/** The part of the WebAssembly API that is used here: TypeScript declares it only among browser types. */
interface WebAssemblyApi {
  Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  Instance: new (module: object) => { readonly exports: Record<string, unknown> };
}

/** Encoded instructions. */
export type Code = readonly number[];

export const i32 = 0x7f;
export const i64 = 0x7e;
export const v128 = 0x7b;
type ValueType = typeof i32 | typeof i64 | typeof v128;

export interface WasmFunction<Name extends string> {
  name: Name;
  parameters: readonly ValueType[];
  /** Numbered behind the parameters. */
  locals: readonly ValueType[];
  result?: ValueType;
  body: readonly Code[];
}

export type WasmInstance<Name extends string> = Record<Name, (...values: number[]) => number> & {
  /** The whole memory. It never grows, so views of it stay valid. */
  readonly buffer: ArrayBuffer;
};

/** Compiles and starts a module of these functions with a memory of so many pages of 64 KiB. */
export function instantiate<Name extends string>(pages: number, functions: readonly WasmFunction<Name>[]): WasmInstance<Name> {
  const { Module, Instance } = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly;
  const { exports } = new Instance(new Module(assemble(pages, functions)));
  const { buffer } = exports['memory'] as { buffer: ArrayBuffer };
  return { ...(exports as Record<Name, (...values: number[]) => number>), buffer };
}

function assemble(pages: number, functions: readonly WasmFunction<string>[]): Uint8Array<ArrayBuffer> {
  const types = functions.map((f) => [
    0x60,
    ...vector(f.parameters.map((type) => [type])),
    ...vector(f.result === undefined ? [] : [[f.result]]),
  ]);
  const bodies = functions.map((f) => {
    const locals = vector(f.locals.map((type) => [1, type]));
    return sized([...locals, ...f.body.flat(), 0x0b]);
  });
  const exports = functions.map((f, index) => [...name(f.name), 0x00, ...unsigned(index)]);
  const magicAndVersion = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
  return Uint8Array.from([
    ...magicAndVersion,
    ...section(1, vector(types)),
    ...section(3, vector(functions.map((_, index) => unsigned(index)))),
    ...section(5, vector([[0x01, ...unsigned(pages), ...unsigned(pages)]])),
    ...section(7, vector([[...name('memory'), 0x02, 0x00], ...exports])),
    ...section(10, vector(bodies)),
  ]);
}

export const get = (local: number): Code => [0x20, ...unsigned(local)];
export const set = (local: number): Code => [0x21, ...unsigned(local)];
export const tee = (local: number): Code => [0x22, ...unsigned(local)];

export const constant32 = (value: number): Code => [0x41, ...signed(BigInt(value))];
export const constant64 = (value: bigint): Code => [0x42, ...signed(value)];
export const add32: Code = [0x6a];
export const and32: Code = [0x71];
export const lessThanUnsigned32: Code = [0x49];
export const shiftRight64: Code = [0x88];
export const shiftLeft64: Code = [0x86];
export const and64: Code = [0x83];
export const xor64: Code = [0x85];
export const xor128: Code = [0xfd, 0x51];
export const wrapTo32: Code = [0xa7];
export const extendTo64: Code = [0xad];

/** Loads take their address from the stack; the constant offset is free. */
export const load64 = (offset: number): Code => [0x29, 0, ...unsigned(offset)];
export const load8 = (offset: number): Code => [0x2d, 0, ...unsigned(offset)];
export const load128 = (offset: number): Code => [0xfd, 0x00, 0, ...unsigned(offset)];
export const store64 = (offset: number): Code => [0x37, 0, ...unsigned(offset)];
export const store128 = (offset: number): Code => [0xfd, 0x0b, 0, ...unsigned(offset)];

/** Repeats the body while the condition, evaluated before each round, is not zero. */
export function loopWhile(condition: readonly Code[], body: readonly Code[]): Code {
  const block = [0x02, 0x40];
  const loop = [0x03, 0x40];
  const leaveWhenZero = [0x45, 0x0d, 0x01];
  const again = [0x0c, 0x00];
  return [...block, ...loop, ...condition.flat(), ...leaveWhenZero, ...body.flat(), ...again, 0x0b, 0x0b];
}

function section(id: number, content: Code): Code {
  return [id, ...sized(content)];
}

function sized(content: Code): Code {
  return [...unsigned(content.length), ...content];
}

function vector(items: readonly Code[]): Code {
  return [...unsigned(items.length), ...items.flat()];
}

function name(text: string): Code {
  return sized([...Buffer.from(text, 'utf8')]);
}

function unsigned(value: number): Code {
  const bytes: number[] = [];
  let rest = value;
  do {
    bytes.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    rest >>>= 7;
  } while (rest > 0);
  return bytes;
}

function signed(value: bigint): Code {
  const bytes: number[] = [];
  let rest = value;
  for (;;) {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    const last = (rest === 0n && low < 0x40) || (rest === -1n && low >= 0x40);
    bytes.push(last ? low : low | 0x80);
    if (last) return bytes;
  }
}
