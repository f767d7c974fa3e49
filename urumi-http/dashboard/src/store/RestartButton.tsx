// Restarts the programs of a store.
import { IconRotateClockwise } from '@tabler/icons-react';
import { useTranslations } from 'use-intl';
import type { Store } from '../api/types';
import { ActButton } from './ActButton';
import { restart } from './changes';

export function RestartButton({ store }: { store: Store }) {
  const t = useTranslations('store.restart');
  return (
    <ActButton
      store={store}
      act={restart}
      label={t('start')}
      accepted={t('started')}
      variant="default"
      leftSection={<IconRotateClockwise size={18} aria-hidden />}
    />
  );
}
