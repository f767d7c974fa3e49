// The user's bearer token, kept until the tab is closed.
import { useSyncExternalStore } from 'react';

const KEY = 'urumi.token';
const listeners = new Set<() => void>();
let token = sessionStorage.getItem(KEY);

export function getToken(): string | null {
  return token;
}

export function setToken(next: string | null) {
  if (next === token) return;
  token = next;
  if (next === null) sessionStorage.removeItem(KEY);
  else sessionStorage.setItem(KEY, next);
  listeners.forEach((listener) => listener());
}

/** Calls back on each sign-in and sign-out. Returns the function that stops it. */
export function onTokenChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useToken(): string | null {
  return useSyncExternalStore(onTokenChange, getToken);
}
