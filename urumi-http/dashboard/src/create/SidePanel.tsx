// The panel next to the form: the preview and the button that creates the store.
import { Alert, Button, Code, Group, Loader, Paper, Stack, Text, Title } from '@mantine/core';
import { IconAlertTriangle, IconRocket } from '@tabler/icons-react';
import { lazy, Suspense, useState, type Ref } from 'react';
import { useTranslations } from 'use-intl';
import { explain } from '../api/errors';
import { isLost } from '../api/problem';
import type { Preview } from '../api/types';
import type { Leaf } from '../options/schema';
import { CARD } from '../options/Section';
import { Unchecked } from '../options/Unchecked';
import type { Check } from '../options/useCheck';
import type { Values } from '../options/values';
import { Verdict } from '../options/Verdict';
import { idOf, type Draft } from './draft';
import { ShopSketch } from './ShopSketch';

const ObjectTree = lazy(() => import('./ObjectTree'));

interface PanelProps {
  draft: Draft;
  leaves: Leaf[];
  values: Values;
  check: Check<Preview>;
  isEmpty: boolean;
  /** The number of invalid fields. */
  wrong: number;
  /** The problem with the request as a whole. */
  error?: Error;
  /** Whether it was sent to create the store, and not only to check it. */
  isRefused: boolean;
  alertRef: Ref<HTMLDivElement>;
  isCreating: boolean;
  failed: number;
  onStartOver(): void;
}

export function SidePanel(props: PanelProps) {
  const { draft, leaves, values, check, isEmpty, wrong, error, isRefused, isCreating, failed } = props;
  const t = useTranslations('create');
  const id = idOf(draft);
  const isBeginning = draft.name === '';
  const preview =
    !isBeginning && check.preview && (id === '' || check.preview.id === id) ? check.preview : undefined;
  const urls = preview?.urls;
  return (
    <Paper
      component="section"
      bg={CARD}
      withBorder
      radius="lg"
      p={{ base: 'md', xs: 'lg' }}
      aria-labelledby="create-preview"
    >
      <Stack gap="md">
        <Title order={2} fz="lg" id="create-preview">
          {t('preview.title')}
        </Title>
        <ShopSketch
          name={draft.name}
          address={urls?.storefront ?? undefined}
          leaves={leaves}
          values={values}
        />
        <div>
          <Address
            label={t('preview.address')}
            url={urls?.storefront}
            otherwise={t(isBeginning ? 'preview.waiting' : 'preview.unchecked')}
          />
          {urls?.api && <Address label={t('preview.api')} url={urls.api} />}
          {urls && id === '' && (
            <Text size="xs" c="dimmed">
              {t('preview.drawn')}
            </Text>
          )}
        </div>
        {preview && <Objects preview={preview} />}
        {error && <Trouble {...props} error={error} />}
        <div role="status">
          {isCreating && failed > 0 ? (
            <Text size="sm">{t('submit.retrying', { number: failed + 1 })}</Text>
          ) : (
            (!isBeginning || wrong > 0) &&
            !error &&
            !isCreating && <Verdict checking={check.checking} wrong={wrong} good={t('check.good')} />
          )}
        </div>
        <Button
          type="submit"
          size="md"
          fullWidth
          loading={isCreating}
          leftSection={<IconRocket size={20} aria-hidden />}
        >
          {isCreating
            ? t('submit.creating')
            : isRefused && isLost(error)
              ? t('submit.again')
              : t('submit.create')}
        </Button>
        {!isEmpty && (
          <Button
            variant="subtle"
            color="gray"
            size="compact-sm"
            disabled={isCreating}
            onClick={props.onStartOver}
          >
            {t('submit.startOver')}
          </Button>
        )}
      </Stack>
    </Paper>
  );
}

function Address({ label, url, otherwise }: { label: string; url?: string | null; otherwise?: string }) {
  return (
    <Text size="sm" mb={6}>
      <Text component="span" size="xs" c="dimmed" display="block">
        {label}
      </Text>
      <span className="untrusted">{url ?? otherwise}</span>
    </Text>
  );
}

function Trouble({ error, isRefused, alertRef, check }: PanelProps & { error: Error }) {
  const t = useTranslations('create');
  const again = useTranslations('options.check');
  const lost = isLost(error);
  if (lost && !isRefused) return <Unchecked error={error} />;
  return (
    <Alert
      ref={alertRef}
      tabIndex={-1}
      color="red"
      icon={<IconAlertTriangle aria-hidden />}
      title={isRefused ? t('submit.failed') : t('check.refusedTitle')}
    >
      <Text size="sm" className="untrusted">
        {explain(error)}
      </Text>
      {lost && (
        <Text size="sm" mt={6}>
          {t('submit.unsure')}
        </Text>
      )}
      {!isRefused && (
        <Button mt="sm" size="xs" variant="default" loading={check.checking} onClick={check.again}>
          {again('again')}
        </Button>
      )}
    </Alert>
  );
}

function Objects({ preview }: { preview: Preview }) {
  const t = useTranslations('create.objects');
  const [shown, setShown] = useState(false);
  return (
    <div>
      <Group justify="space-between" gap="xs">
        <Text size="sm">
          <Text component="span" size="xs" c="dimmed" display="block">
            {t('title')}
          </Text>
          {t.rich('count', {
            count: preview.objects.length,
            namespace: preview.namespace,
            code: (name) => <Code className="untrusted">{name}</Code>,
          })}
        </Text>
        <Button
          variant="default"
          size="xs"
          aria-expanded={shown}
          aria-controls="create-objects"
          onClick={() => setShown(!shown)}
        >
          {shown ? t('hide') : t('show')}
        </Button>
      </Group>
      <div id="create-objects">
        {shown && (
          <Suspense fallback={<Loader size="sm" mt="md" aria-label={t('title')} />}>
            <Stack
              mt="md"
              mah={420}
              className="create-objects"
              tabIndex={0}
              role="group"
              aria-label={t('title')}
            >
              <ObjectTree objects={preview.objects} />
            </Stack>
          </Suspense>
        )}
      </div>
    </div>
  );
}
