import { setToken } from './session';

/** Deletes the token and all data of the session. */
export function signOut() {
  setToken(null);
  location.assign(import.meta.env.BASE_URL);
}
