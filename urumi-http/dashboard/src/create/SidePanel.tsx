// The panel next to the form: the preview and the button that creates the store.
import { Alert, Button, Code, Group, Loader, Paper, Stack, Text, Title } from '@mantine/core';
import {
  IconAlertTriangle,
  IconCircleCheck,
  IconCloudOff,
  IconPencil,
  IconRocket,
} from '@tabler/icons-react';
import { lazy, Suspense, useState, type Ref } from 'react';
import { useTranslations } from 'use-intl';
import { explain } from '../api/errors';
import type { Preview } from '../api/types';
import { idOf, type Draft } from './draft';
import type { Leaf } from './schema';
import { isLost } from './send';
import { ShopSketch } from './ShopSketch';
import type { Check } from './useCheck';
import type { Values } from './values';

const ObjectTree = lazy(() => import('./ObjectTree'));

/** The background of cards, in contrast to that of the page. */
export const CARD = 'light-dark(var(--mantine-color-white), var(--mantine-color-dark-7))';

interface PanelProps {
  draft: Draft;
  leaves: Leaf[];
  values: Values;
  check: Check;
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
            !isCreating && <Verdict checking={check.checking} wrong={wrong} />
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

function Verdict({ checking, wrong }: { checking: boolean; wrong: number }) {
  const t = useTranslations('create.check');
  const Icon = wrong > 0 ? IconPencil : IconCircleCheck;
  return (
    <Group gap={8} wrap="nowrap" c={wrong > 0 ? 'var(--mantine-color-error)' : undefined}>
      {checking ? <Loader size={16} aria-hidden /> : <Icon size={18} aria-hidden />}
      <Text size="sm" fw={500}>
        {checking ? t('checking') : wrong > 0 ? t('wrong', { count: wrong }) : t('good')}
      </Text>
    </Group>
  );
}

function Trouble({ error, isRefused, alertRef, check }: PanelProps & { error: Error }) {
  const t = useTranslations('create');
  const lost = isLost(error);
  if (lost && !isRefused) {
    return (
      <Alert
        color="yellow"
        icon={<IconCloudOff aria-hidden />}
        role="status"
        title={
          // Yellow on yellow is hard to read.
          <Text inherit component="span" c="var(--mantine-color-text)">
            {t('check.uncheckedTitle')}
          </Text>
        }
      >
        <Text size="sm" className="untrusted">
          {explain(error)}
        </Text>
        <Text size="sm" mt={6}>
          {t('check.kept')}
        </Text>
      </Alert>
    );
  }
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
          {t('check.again')}
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
