// The request being edited. It is kept until the store is created or the tab is closed.
import type { CreateStore } from '../api/types';
import type { Form } from '../options/schema';
import { toOptions, type Values } from '../options/values';

export interface Draft {
  name: string;
  /** Undefined while the id follows the name. */
  id?: string;
  engine?: string;
  /** Undefined for the user. */
  owner?: string;
  /** By engine, so that a change of the engine loses nothing. Secrets are not here, because a draft is stored. */
  values: Record<string, Values>;
}

export interface Creation {
  request: CreateStore;
  /** The request without secrets, which may be stored. */
  storable: CreateStore;
}

const DRAFT = 'urumi.create.draft';
const KEY = 'urumi.create.key';
const EMPTY: Draft = { name: '', values: {} };

export function loadDraft(): Draft {
  return { ...EMPTY, ...read<Draft>(DRAFT) };
}

export function saveDraft(draft: Draft) {
  write(DRAFT, draft);
}

export function clearDraft(): Draft {
  sessionStorage.removeItem(DRAFT);
  forgetKey();
  return EMPTY;
}

/** An id made from a name: the characters of the name that the API accepts. */
export function suggestId(name: string): string {
  return name
    .replaceAll('ß', 'ss')
    .replaceAll(/[æÆ]/g, 'ae')
    .replaceAll(/[øØ]/g, 'o')
    .replaceAll(/[łŁ]/g, 'l')
    .normalize('NFKD')
    .replaceAll(/\p{M}|['’]/gu, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 51)
    .replace(/^-/, '')
    .slice(0, 50)
    .replace(/-$/, '');
}

/** The next id to try if one is taken: shop, shop-2, shop-3. */
export function nextId(id: string): string {
  const match = /^(.*?)-(\d{1,6})$/.exec(id);
  const suffix = `-${match ? Number(match[2]) + 1 : 2}`;
  return (match?.[1] ?? id).slice(0, 50 - suffix.length).replace(/-+$/, '') + suffix;
}

export function idOf(draft: Draft): string {
  return draft.id ?? suggestId(draft.name);
}

export function requestOf(draft: Draft, engine: string, form: Form, secrets: Values = {}): CreateStore {
  const options = toOptions([...form.first, ...form.groups], { ...draft.values[engine], ...secrets });
  const id = idOf(draft);
  return {
    name: draft.name,
    engine,
    ...(id !== '' && { id }),
    ...(draft.owner !== undefined && { owner: draft.owner }),
    // The API's description has no type for options, because each engine has its own.
    ...(Object.keys(options).length > 0 && { options: options as CreateStore['options'] }),
  };
}

interface KeyOfRequest {
  request: string;
  key: string;
}

/**
 * The Idempotency-Key of a request: the same for the same request, even after a reload of the page. The request is
 * stored, so it must have no secrets. If only a secret differs, the API refuses the key, and `create` renews it.
 */
export function keyFor(request: CreateStore): string {
  const text = JSON.stringify(request);
  const kept = read<KeyOfRequest>(KEY);
  if (kept?.request === text) return kept.key;
  return newKeyFor(request);
}

export function newKeyFor(request: CreateStore): string {
  const kept = { request: JSON.stringify(request), key: randomKey() };
  write(KEY, kept);
  return kept.key;
}

/** The key is no longer needed: it created nothing, or its result is known. */
export function forgetKey() {
  sessionStorage.removeItem(KEY);
}

/** Whether this request was sent before. It may have created its store although no answer arrived. */
export function wasSent(request: CreateStore): boolean {
  return read<KeyOfRequest>(KEY)?.request === JSON.stringify(request);
}

/** Not `crypto.randomUUID`: browsers provide it on https and localhost only. */
function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
}

function read<T>(name: string): T | undefined {
  try {
    return (JSON.parse(sessionStorage.getItem(name) ?? 'null') as T | null) ?? undefined;
  } catch {
    return undefined;
  }
}

function write(name: string, value: unknown) {
  try {
    sessionStorage.setItem(name, JSON.stringify(value));
  } catch {
    // The storage is full or forbidden. The open page still has all entries.
  }
}
