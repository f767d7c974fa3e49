import { setToken } from './session';

/** Forgets the token, and with it everything that was seen. */
export function signOut() {
  setToken(null);
  location.assign(import.meta.env.BASE_URL);
}
