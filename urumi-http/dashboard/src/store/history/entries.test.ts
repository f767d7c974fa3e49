import { expect, it } from 'vitest';
import type { Revision } from '../../api/types';
import { entriesOf } from './entries';

const revision = (number: number, name: string) => ({ number, name }) as Revision;

it('has the newest revision first, with the change of the name', () => {
  const entries = entriesOf([revision(4, 'Shop'), revision(5, 'Shop'), revision(6, 'Store')]);
  expect(entries.map(({ revision }) => revision.number)).toEqual([6, 5, 4]);
  expect(entries.map(({ name }) => name)).toEqual([{ from: 'Shop', to: 'Store' }, undefined, undefined]);
});

it('knows no changes of the oldest revision', () => {
  expect(entriesOf([revision(4, 'Shop'), revision(5, 'Shop')]).map(({ compared }) => compared)).toEqual([
    true,
    false,
  ]);
});
