// The page of a user without stores: its purpose, and the first step.
import { Button, Paper, Stack, Text, ThemeIcon, Title } from '@mantine/core';
import { IconBuildingStore } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useTranslations } from 'use-intl';
import { useMay } from '../session/whoami';

export function NoStores() {
  const t = useTranslations('stores.empty');
  const mayCreate = useMay('operator');
  return (
    <Paper withBorder p="xl">
      <Stack align="center" py="lg" ta="center">
        <ThemeIcon size={64} radius="xl" variant="light">
          <IconBuildingStore size={34} aria-hidden />
        </ThemeIcon>
        <Title order={2}>{t('title')}</Title>
        <Text maw={460} c="dimmed">
          {mayCreate ? t('invite') : t('viewer')}
        </Text>
        {mayCreate && (
          <Button component={Link} to="/stores/new" size="md">
            {t('create')}
          </Button>
        )}
      </Stack>
    </Paper>
  );
}
