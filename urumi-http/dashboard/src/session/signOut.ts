import { setToken } from './session';

/** Deletes the token and all data of the session, such as a draft or a sign-in that was not completed. */
export function signOut() {
  setToken(null);
  sessionStorage.clear();
  location.assign(import.meta.env.BASE_URL);
}
