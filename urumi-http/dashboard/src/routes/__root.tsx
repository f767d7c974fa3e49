import type { QueryClient } from '@tanstack/react-query';
import { useQuery } from '@tanstack/react-query';
import { createRootRouteWithContext, Outlet, useLocation } from '@tanstack/react-router';
import { lazy, Suspense } from 'react';
import { ApiError } from '../api/problem';
import { LiveStores } from '../live/LiveStores';
import { serverQuery } from '../session/server';
import { useToken } from '../session/session';
import { asksWho, settingsQuery } from '../session/settings';
import { signOut } from '../session/signOut';
import { whoamiQuery } from '../session/whoami';
import { ErrorPage } from '../shell/ErrorPage';
import { Shell } from '../shell/Shell';

const SignIn = lazy(async () => ({ default: (await import('../session/SignIn')).SignIn }));

export const Route = createRootRouteWithContext<{ queryClient: QueryClient }>()({ component: Root });

/** If the server has authentication, every page needs a signed-in user, except the return from an identity provider. */
function Root() {
  const settings = useQuery(settingsQuery);
  // Before the first page is shown, so that the notices do not move it.
  const server = useQuery(serverQuery);
  const token = useToken();
  const { pathname } = useLocation();
  if (settings.error) return <ErrorPage error={settings.error} reset={() => void settings.refetch()} />;
  if (!settings.data || server.isPending) return null;
  if (pathname === '/signed-in') return <Outlet />;
  if (token === null && asksWho(settings.data)) {
    return (
      <Suspense>
        <SignIn settings={settings.data} />
      </Suspense>
    );
  }
  return <SignedIn key={token} />;
}

/** A user of the identity provider may have no role here. The page then shows only that. */
function SignedIn() {
  const who = useQuery(whoamiQuery);
  if (who.error instanceof ApiError && who.error.status === 403) {
    return <ErrorPage error={who.error} reset={() => void who.refetch()} signOut={signOut} />;
  }
  return (
    <LiveStores>
      <Shell>
        <Outlet />
      </Shell>
    </LiveStores>
  );
}
