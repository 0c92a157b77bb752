import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readXml, XmlError, XML_BOUNDS } from './xml-reader.ts';

// Source: contract s3-surface section 3 (strict, no entities of its own, bounded); XML 1.0.

const read = (text: string | Buffer, bounds = {}): ReturnType<typeof readXml> => readXml(Buffer.from(text as string), { ...XML_BOUNDS, ...bounds });
const refused = (message: RegExp, text: string | Buffer, bounds = {}): void => assert.throws(() => read(text, bounds), (error) => error instanceof XmlError && message.test(error.message));

test('elements, attributes and text', () => {
  const root = read('<?xml version="1.0"?><a:r xmlns:a="u" xmlns="v" a:type="t" b="&lt;">x<c/>&#x41;<![CDATA[<&]]></a:r>');
  assert.deepEqual([root.name, [...root.attributes!], root.text, root.children.map(({ name }) => name)], ['r', [['type', 't'], ['b', '<']], 'xA<&', ['c']]);
  assert.equal(read('<r xmlns="v"/>').attributes, undefined);
});

test('each bound holds at its edge', () => {
  const nested = (depth: number): string => '<a>'.repeat(depth) + '</a>'.repeat(depth);
  assert.ok(read(nested(20)));
  refused(/too deep/, nested(21));
  assert.ok(read('<a/>', { sizeBytesMax: 4 }));
  refused(/too large/, '<a/> ', { sizeBytesMax: 4 });
  assert.ok(read('<a><b/></a>', { elementCountMax: 2 }));
  refused(/too many elements/, '<a><b/><b/></a>', { elementCountMax: 2 });
  assert.ok(read('<a b="" c=""/>', { attributeCountMax: 2 }));
  refused(/too many attributes/, '<a b="" c="" d=""/>', { attributeCountMax: 2 });
});

test('no document types, no entities but the five, no invalid UTF-8, nothing twice', () => {
  refused(/document type/, '<!DOCTYPE a><a/>');
  refused(/document type/, '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>');
  refused(/entity/, '<a>&e;</a>');
  refused(/UTF-8/, Buffer.from([0x3c, 0x61, 0x3e, 0xff, 0x3c, 0x2f, 0x61, 0x3e]));
  refused(/./, '<a b="1" b="2"/>');
  refused(/./, '<a/><a/>');
  refused(/./, '');
});
