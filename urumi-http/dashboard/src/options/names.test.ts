import { expect, it } from 'vitest';
import { optionName } from './names';

it.each([
  ['database.secret.name', 'Database › Secret › Name'],
  ['storefront.footerLinks[0].url', 'Storefront › Footer links 1 › URL'],
  ['api.env.STRIPE_API_KEY', 'API › Env › STRIPE_API_KEY'],
])('%s is %s', (path, name) => {
  expect(optionName(path)).toBe(name);
});
