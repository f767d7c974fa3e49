// The API could not be asked about the form; that is tried again.
import { Alert, Text } from '@mantine/core';
import { IconCloudOff } from '@tabler/icons-react';
import { useTranslations } from 'use-intl';
import { explain } from '../api/errors';

export function Unchecked({ error }: { error: Error }) {
  const t = useTranslations('options.check');
  return (
    <Alert
      color="yellow"
      icon={<IconCloudOff aria-hidden />}
      role="status"
      title={
        // Yellow on yellow is hard to read.
        <Text inherit component="span" c="var(--mantine-color-text)">
          {t('uncheckedTitle')}
        </Text>
      }
    >
      <Text size="sm" className="untrusted">
        {explain(error)}
      </Text>
      <Text size="sm" mt={6}>
        {t('kept')}
      </Text>
    </Alert>
  );
}
