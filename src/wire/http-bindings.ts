/**
 * Compiles the HTTP bindings of a shape: labels, query, headers and prefix headers, in and out. Shared by rest-xml
 * and rest-json; the protocol says how a bad or missing value is refused and how user metadata is written.
 */
import { decodeBase64 } from '../base/bytes.ts';
import type { HttpRequest } from '../base/http.ts';
import { headerTextToUnicode, safeHeaderText } from './header-text.ts';
import type { Member, Shape } from './schema.ts';
import { formatHttpDate, formatIsoMillis, parseHttpDate, parseIsoDate } from './timestamp.ts';
import { parseInteger, parseTimestampText } from './xml-decode.ts';

export interface BindingOptions {
  /** Thrown for a value that is not of its type; `where` is the header or query name. */
  readonly badValue: (where: string, value: string, member: Member) => Error;
  /** Thrown for a required header or query member that is absent. */
  readonly missing: (where: string, member: Member) => Error;
  /** Headers whose malformed value counts as absent. */
  readonly ignoredWhenMalformed?: ReadonlySet<string>;
  /** Members kept as text though the schema has another type. */
  readonly textMembers?: ReadonlySet<string>;
  /** Members whose header bytes are UTF-8 text. */
  readonly utf8Members?: ReadonlySet<string>;
  /** Members the encoder leaves out. */
  readonly droppedMembers?: ReadonlySet<string>;
  readonly decodePrefixed?: (value: string) => string;
  readonly encodePrefixed?: (value: string) => string;
  /** Last word on a string member's header text (quotes around ETag). */
  readonly adjust?: (member: Member) => ((text: string) => string) | undefined;
}

export type HeadDecoder = (request: HttpRequest, query: ReadonlyMap<string, string>, input: Record<string, unknown>) => void;
export type HeadEncoder = (output: Readonly<Record<string, unknown>>, headers: Record<string, string>) => void;

/** The members of a shape that travel in the body: bound to nothing else. */
export function bodyMembers(shape: Shape): Member[] {
  return shape.members.filter(({ own }) => !(own.httpHeader ?? own.httpQuery ?? own.httpLabel ?? own.httpResponseCode) && own.httpPrefixHeaders === undefined);
}

interface Binding {
  readonly name: string;
  readonly where: string;
  readonly parse: ((text: string) => unknown) | undefined;
  readonly ignoreMalformed: boolean;
  readonly member: Member;
}

/** Reads query, header and prefix-header members into `input`; labels are the protocol's own matter. */
export function compileHeadDecoder(shape: Shape, options: BindingOptions): HeadDecoder {
  const fromQuery: Binding[] = [];
  const fromHeaders: Binding[] = [];
  const prefixes: { name: string; prefix: string }[] = [];
  for (const member of shape.members) {
    const { own, name } = member;
    if (own.httpQuery !== undefined) fromQuery.push(bindingOf(member, own.httpQuery, options));
    else if (own.httpHeader !== undefined) fromHeaders.push(bindingOf(member, own.httpHeader.toLowerCase(), options));
    else if (own.httpPrefixHeaders !== undefined) prefixes.push({ name, prefix: own.httpPrefixHeaders.toLowerCase() });
  }
  const decodePrefixed = options.decodePrefixed ?? ((value: string) => value);

  const take = (binding: Binding, text: string, input: Record<string, unknown>): void => {
    const { parse } = binding;
    if (parse === undefined) {
      input[binding.name] = text;
      return;
    }
    const value = parse(text);
    if (value !== undefined) input[binding.name] = value;
    else if (!binding.ignoreMalformed) throw options.badValue(binding.where, text, binding.member);
  };

  return (request, query, input) => {
    const { headers } = request;
    for (const binding of fromQuery) {
      const text = query.get(binding.where);
      // A number that was left empty (`max-keys=`) was not given.
      if (text !== undefined && (text !== '' || binding.parse === undefined)) take(binding, text, input);
      else if (binding.member.required) throw options.missing(binding.where, binding.member);
    }
    for (const binding of fromHeaders) {
      const text = headers[binding.where];
      if (text !== undefined) take(binding, text, input);
      else if (binding.member.required) throw options.missing(binding.member.own.httpHeader!, binding.member);
    }
    for (const { name, prefix } of prefixes) {
      let map: Record<string, string> | undefined;
      for (const header in headers) {
        if (!header.startsWith(prefix)) continue;
        // Without prototype: `__proto__` is a name like any other.
        map ??= Object.create(null) as Record<string, string>;
        map[header.slice(prefix.length)] = decodePrefixed(headers[header]!);
      }
      if (map) input[name] = map;
    }
  };
}

function bindingOf(member: Member, where: string, options: BindingOptions): Binding {
  return { name: member.name, where, member, parse: parserOf(member, options), ignoreMalformed: options.ignoredWhenMalformed?.has(where) ?? false };
}

function parserOf(member: Member, options: BindingOptions): Binding['parse'] {
  if (options.textMembers?.has(member.name)) return undefined;
  const { shape } = member;
  switch (shape.kind) {
    case 'string':
      return options.utf8Members?.has(member.name) && member.own.httpHeader !== undefined ? headerTextToUnicode : undefined;
    case 'number':
      return parseInteger;
    case 'boolean':
      return parseBoolean;
    case 'timestamp':
      // Headers default to HTTP dates, queries to ISO 8601.
      if (shape.timestampFormat !== 'default') return (text) => parseTimestampText(shape, text.trim());
      return member.own.httpHeader !== undefined ? (text) => parseHttpDate(text.trim()) ?? parseIsoDate(text.trim()) : parseIsoDate;
    case 'list':
      return (text) => text.split(',').map((item) => item.trim()).filter((item) => item !== '');
    case 'blob':
      return decodeBase64;
    default:
      throw new Error(`no header reading for ${shape.kind} ${member.name}`);
  }
}

function parseBoolean(text: string): boolean | undefined {
  const lower = text.trim().toLowerCase();
  return lower === 'true' ? true : lower === 'false' ? false : undefined;
}

/** Writes header and prefix-header members of `output` into `headers`. */
export function compileHeadEncoder(shape: Shape, options: BindingOptions): HeadEncoder {
  const toHeaders: { name: string; header: string; format: (value: unknown) => string }[] = [];
  const prefixes: { name: string; prefix: string }[] = [];
  for (const member of shape.members) {
    const { own, name } = member;
    if (options.droppedMembers?.has(name)) continue;
    if (own.httpHeader !== undefined) toHeaders.push({ name, header: own.httpHeader.toLowerCase(), format: formatterOf(member, options) });
    else if (own.httpPrefixHeaders !== undefined) prefixes.push({ name, prefix: own.httpPrefixHeaders.toLowerCase() });
  }
  // Node writes a Content-Disposition that comes behind the Content-Length as bytes, then reads them as UTF-8 and throws
  // on every other ISO 8859-1 text: it goes first.
  toHeaders.sort((a, b) => Number(b.header === 'content-disposition') - Number(a.header === 'content-disposition'));
  const encodePrefixed = options.encodePrefixed ?? safeHeaderText;

  return (output, headers) => {
    for (const { name, header, format } of toHeaders) {
      const value = output[name];
      if (value !== undefined && value !== null) headers[header] = format(value);
    }
    for (const { name, prefix } of prefixes) {
      const map = output[name] as Readonly<Record<string, string>> | undefined;
      if (map) for (const key in map) headers[prefix + key] = encodePrefixed(map[key]!);
    }
  };
}

function formatterOf(member: Member, options: BindingOptions): (value: unknown) => string {
  const { shape } = member;
  if (options.textMembers?.has(member.name)) return (value) => safeHeaderText(String(value));
  switch (shape.kind) {
    case 'string': {
      const adjust = options.adjust?.(member);
      return adjust ? (value) => safeHeaderText(adjust(value as string)) : (value) => safeHeaderText(value as string);
    }
    case 'timestamp':
      if (shape.timestampFormat === 'date-time') return (value) => formatIsoMillis(value as Date);
      if (shape.timestampFormat === 'epoch-seconds') return (value) => String((value as Date).getTime() / 1000);
      return (value) => formatHttpDate(value as Date);
    case 'list':
      return (value) => safeHeaderText((value as readonly unknown[]).join(','));
    case 'blob':
      return (value) => Buffer.from(value as Uint8Array).toString('base64');
    default:
      return (value) => String(value);
  }
}

