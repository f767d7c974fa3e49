import { setToken } from './session';

/** Forgets everything that was seen with the token. */
export function signOut() {
  setToken(null);
  location.assign(import.meta.env.BASE_URL);
}
