// Follows the stores while a user is signed in, and reports the state of the connection.
import { useQueryClient } from '@tanstack/react-query';
import { createContext, use, useEffect, useState, type ReactNode } from 'react';
import { setToken } from '../session/session';
import type { Store } from '../api/types';
import { Follower, type Liveness } from './follower';
import { frames } from './frames';
import { applyChanges, fetchStores, replaceStores } from './stores';

const LivenessContext = createContext<Liveness>('connecting');

export function useLiveness(): Liveness {
  return use(LivenessContext);
}

export function LiveStores({ children }: { children: ReactNode }) {
  const client = useQueryClient();
  const [liveness, setLiveness] = useState<Liveness>('connecting');

  useEffect(() => {
    const pending = new Map<string, { id: string; store: Store | null }>();
    let frame = 0;
    const flush = () => {
      frame = 0;
      applyChanges(client, pending.values());
      pending.clear();
    };
    const later = (id: string, store: Store | null) => {
      pending.set(id, { id, store });
      // A timer, not an animation frame, because those stop in a hidden tab.
      frame ||= window.setTimeout(flush, 16);
      // A deleted store has nothing to request.
      if (store) void client.invalidateQueries({ queryKey: ['store', id] });
    };
    const follower = new Follower(
      { watch: (last, signal) => frames('/watch', last, signal), poll: fetchStores },
      {
        onLiveness: setLiveness,
        onListed(stores) {
          pending.clear();
          replaceStores(client, stores);
        },
        onChanged: (store) => later(store.id, store),
        onGone: (id) => later(id, null),
        onRefused: () => setToken(null),
      },
    );
    follower.start();
    let hidden = 0;
    const onVisibility = () => {
      if (document.hidden) hidden = Date.now();
      else if (Date.now() - hidden > 60_000) follower.refresh();
    };
    const onOnline = () => follower.refresh();
    document.addEventListener('visibilitychange', onVisibility);
    window.addEventListener('online', onOnline);
    return () => {
      follower.stop();
      clearTimeout(frame);
      document.removeEventListener('visibilitychange', onVisibility);
      window.removeEventListener('online', onOnline);
    };
  }, [client]);

  return <LivenessContext value={liveness}>{children}</LivenessContext>;
}
