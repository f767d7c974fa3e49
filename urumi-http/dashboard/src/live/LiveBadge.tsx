// Shows whether the page is up to date.
import { ColorSwatch, Group, Text, VisuallyHidden } from '@mantine/core';
import { useTranslations } from 'use-intl';
import { useLiveness } from './LiveStores';

const COLOR = { connecting: 'gray', live: 'green', polling: 'yellow', offline: 'red' } as const;

export function LiveBadge() {
  const t = useTranslations('live');
  const liveness = useLiveness();
  return (
    <Group gap={6} wrap="nowrap" role="status" data-liveness={liveness} title={t(`${liveness}.hint`)}>
      <ColorSwatch
        color={`var(--mantine-color-${COLOR[liveness]}-6)`}
        size={9}
        withShadow={false}
        aria-hidden
      />
      <Text size="sm">{t(`${liveness}.label`)}</Text>
      <VisuallyHidden>{t(`${liveness}.hint`)}</VisuallyHidden>
    </Group>
  );
}
