// Retries a failed store.
import { IconRefresh } from '@tabler/icons-react';
import { useTranslations } from 'use-intl';
import type { Store } from '../api/types';
import { ActButton } from './ActButton';
import { retry } from './changes';

export function RetryButton({ store }: { store: Store }) {
  const t = useTranslations('store');
  const icon = <IconRefresh size={18} aria-hidden />;
  return <ActButton store={store} act={retry} label={t('retry')} leftSection={icon} />;
}
