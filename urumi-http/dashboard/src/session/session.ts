// Whose requests these are: the bearer token, kept as long as the tab.
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

/** Calls back whenever somebody signs in or out. Returns how to stop that. */
export function onTokenChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useToken(): string | null {
  return useSyncExternalStore(onTokenChange, getToken);
}
