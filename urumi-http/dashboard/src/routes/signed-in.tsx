import { Center, Loader } from '@mantine/core';
import { createFileRoute } from '@tanstack/react-router';
import { useTranslations } from 'use-intl';
import { settingsQuery } from '../session/settings';

export const Route = createFileRoute('/signed-in')({
  loader: async ({ context }) => {
    const { signIn } = await context.queryClient.ensureQueryData(settingsQuery);
    if (!signIn.oidc) throw new Error('this server has no sign-in by an identity provider');
    const back = await (await import('../session/oidc')).arrive(signIn.oidc);
    // A full page load, because the address with the provider's code must not stay in the history.
    location.replace(back.startsWith(import.meta.env.BASE_URL) ? back : import.meta.env.BASE_URL);
  },
  component: Returning,
});

function Returning() {
  const t = useTranslations();
  return (
    <Center component="main" mih="100vh">
      <Loader aria-label={t('signIn.returning')} />
    </Center>
  );
}
