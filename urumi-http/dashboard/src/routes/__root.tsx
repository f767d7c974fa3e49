import type { QueryClient } from '@tanstack/react-query';
import { useQuery } from '@tanstack/react-query';
import { createRootRouteWithContext, Outlet, useLocation } from '@tanstack/react-router';
import { lazy, Suspense } from 'react';
import { LiveStores } from '../live/LiveStores';
import { useToken } from '../session/session';
import { asksWho, settingsQuery } from '../session/settings';
import { ErrorPage } from '../shell/ErrorPage';
import { Shell } from '../shell/Shell';

const SignIn = lazy(async () => ({ default: (await import('../session/SignIn')).SignIn }));

export const Route = createRootRouteWithContext<{ queryClient: QueryClient }>()({ component: Root });

/** Everything but the return from an identity provider is for those who are signed in, where anybody is asked. */
function Root() {
  const settings = useQuery(settingsQuery);
  const token = useToken();
  const { pathname } = useLocation();
  if (settings.error) return <ErrorPage error={settings.error} reset={() => void settings.refetch()} />;
  if (!settings.data) return null;
  if (pathname === '/signed-in') return <Outlet />;
  if (token === null && asksWho(settings.data)) {
    return (
      <Suspense>
        <SignIn settings={settings.data} />
      </Suspense>
    );
  }
  return (
    <LiveStores key={token}>
      <Shell>
        <Outlet />
      </Shell>
    </LiveStores>
  );
}
