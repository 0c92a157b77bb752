/**
 * XML text to a tree of elements: strict, bounded, without DTDs or entities of the document's own. Which elements are
 * right is the decoder's question.
 * Source: XML 1.0 (5th ed.); parser: saxes, which knows only the five predefined entities.
 */
import { SaxesParser } from 'saxes';
import { isUtf8 } from 'node:buffer';

export interface XmlElement {
  /** Local name: prefixes are cut and namespaces not looked at. */
  readonly name: string;
  /** By local name, namespace declarations left out. Undefined when there are none. */
  attributes: Map<string, string> | undefined;
  readonly children: XmlElement[];
  text: string;
}

export interface XmlBounds {
  readonly sizeBytesMax: number;
  readonly depthMax: number;
  readonly elementCountMax: number;
  readonly attributeCountMax: number;
}

export const XML_BOUNDS: XmlBounds = { sizeBytesMax: 2 * 1024 * 1024, depthMax: 20, elementCountMax: 200_000, attributeCountMax: 8 };

/**
 * The text is no XML, or more of it than we take, or not the document that was wanted (`document`); or a value in it is
 * missing or not of its type (`value`). The message is for the log.
 */
export class XmlError extends Error {
  readonly fault: 'document' | 'value';

  constructor(message: string, fault: 'document' | 'value' = 'document') {
    super(message);
    this.fault = fault;
  }
}

/** The root element. Throws XmlError, and nothing else. */
export function readXml(bytes: Uint8Array, bounds: XmlBounds = XML_BOUNDS): XmlElement {
  if (bytes.byteLength > bounds.sizeBytesMax) throw new XmlError('too large');
  if (!isUtf8(bytes)) throw new XmlError('not UTF-8');
  // A byte order mark may stand first; as text it would count as content.
  const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8', hasMark ? 3 : 0);

  const parser = new SaxesParser({ position: false });
  const open: XmlElement[] = [];
  let root: XmlElement | undefined;
  let elementCount = 0;

  const fail = (message: string): never => {
    throw new XmlError(message);
  };
  parser.on('error', (error) => fail(error.message));
  parser.on('doctype', () => fail('document type declaration'));
  parser.on('opentag', (tag) => {
    if (++elementCount > bounds.elementCountMax) fail('too many elements');
    if (open.length >= bounds.depthMax) fail('too deep');
    const element: XmlElement = { name: localName(tag.name), attributes: undefined, children: [], text: '' };
    let attributeCount = 0;
    for (const name in tag.attributes) {
      if (++attributeCount > bounds.attributeCountMax) fail('too many attributes');
      if (name !== 'xmlns' && !name.startsWith('xmlns:')) (element.attributes ??= new Map()).set(localName(name), tag.attributes[name]!);
    }
    const parent = open[open.length - 1];
    if (parent) parent.children.push(element);
    else root = element;
    open.push(element);
  });
  parser.on('closetag', () => {
    open.pop();
  });
  const addText = (part: string): void => {
    const element = open[open.length - 1];
    if (element) element.text += part;
  };
  parser.on('text', addText);
  parser.on('cdata', addText);
  parser.write(text).close();
  return root ?? fail('no element');
}

function localName(name: string): string {
  const colon = name.indexOf(':');
  return colon < 0 ? name : name.slice(colon + 1);
}
