import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { maxBodyBytes, parseBody, targetOf } from '../../src/authority/parse.ts';
import { utf8 } from '../../src/base/bytes.ts';
import { refusalOf } from './world.ts';

const assignment = { method: 'DELETE', path: '/permissions/:permissionId/assignments/:assignmentId' } as const;
const target = (path: string, method = 'DELETE') => targetOf(assignment, { method, path });

describe('the target of a request', () => {
  it('is read with its query and without', () => {
    const params = { permissionId: 'pm-1', assignmentId: 'as-1' };
    expect(target('/permissions/pm-1/assignments/as-1')).toEqual({ params, query: {} });
    expect(target('/permissions/pm-1/assignments/as-1?force=true')).toEqual({ params, query: { force: 'true' } });
    expect(target('/permissions/pm%2D1/assignments/as-1?')).toEqual({ params, query: {} });
  });

  it('never takes an encoded separator for one', () => {
    expect(target('/permissions/pm-1/assignments/a%2Fb')?.params.assignmentId).toBe('a/b');
    expect(target('/permissions/pm-1%2Fassignments%2Fas-1')).toBeUndefined();
    expect(target('/permissions/pm-1/assignments/as-1%3Fforce=true')?.query).toEqual({});
  });

  it.each([
    '/permissions/pm-1/assignments',
    '/permissions/pm-1/assignments/',
    '/permissions//assignments/as-1',
    '/permissions/pm-1/assignments/as-1/',
    '//permissions/pm-1/assignments/as-1',
    '/Permissions/pm-1/assignments/as-1',
    '/x/../permissions/pm-1/assignments/as-1',
    '/permissions/pm-1/assignments/%',
    'permissions/pm-1/assignments/as-1',
    '',
  ])('is not %j', (path) => {
    expect(target(path)).toBeUndefined();
  });

  it('is of one method', () => {
    expect(target('/permissions/pm-1/assignments/as-1', 'POST')).toBeUndefined();
    expect(target('/permissions/pm-1/assignments/as-1', 'delete')).toBeUndefined();
  });

  it('says nothing twice', () => {
    expect(refusalOf(() => target('/permissions/p/assignments/a?force=true&force=false'))).toBe(
      'BadRequest: the query names one parameter twice',
    );
  });
});

describe('a body', () => {
  const schema = z.object({ name: z.string() }).optional();

  it('is read from its bytes, unknown members ignored; no bytes are no body', () => {
    expect(parseBody(schema, utf8('{"name":"a","more":{"__proto__":1}}'))).toEqual({ name: 'a' });
    expect(parseBody(schema, new Uint8Array(0))).toBeUndefined();
  });

  it.each([
    ['not JSON', utf8('{"name":'), 'BadRequest: the body is not valid JSON'],
    ['not UTF-8', Uint8Array.of(0x22, 0xff, 0x22), 'BadRequest: the body is not valid JSON'],
    ['not of the shape', utf8('{"name":1}'), 'BadRequest: body.name'],
    ['null', utf8('null'), 'BadRequest: body'],
    ['too large', new Uint8Array(maxBodyBytes + 1), 'TooLarge'],
  ])('is refused when %s', (_, bytes, reason) => {
    expect(refusalOf(() => parseBody(schema, bytes))).toContain(reason);
  });

  it('nested without end is no danger', () => {
    expect(refusalOf(() => parseBody(schema, utf8('['.repeat(maxBodyBytes))))).toBe('BadRequest: the body is nested deeper than 64');
    expect(refusalOf(() => parseBody(schema, utf8(`${'['.repeat(64)}${']'.repeat(64)}`)))).toContain('BadRequest: body: ');
  });
});
