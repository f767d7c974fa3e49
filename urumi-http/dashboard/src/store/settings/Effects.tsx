// The panel next to the form: what the change does to the store, and the button that saves it.
import { Alert, Button, Paper, Stack, Text, TextInput, Title } from '@mantine/core';
import { IconAlertTriangle, IconDeviceFloppy, IconUsers } from '@tabler/icons-react';
import type { Ref } from 'react';
import { useTranslations } from 'use-intl';
import { explain } from '../../api/errors';
import { isLost } from '../../api/problem';
import type { Revision, Store, UpdatePreview } from '../../api/types';
import { INPUT_FIRST } from '../../options/FieldInput';
import { useMessage } from '../../options/messages';
import { controlId } from '../../options/problems';
import { CARD } from '../../options/Section';
import { Unchecked } from '../../options/Unchecked';
import type { Check } from '../../options/useCheck';
import { Verdict } from '../../options/Verdict';
import { hasChanged } from '../changes';
import { Preview } from './Preview';

/** The longest reason that the API takes. */
const MAX_REASON = 200;

interface EffectsProps {
  store: Store;
  base: Revision;
  check: Check<UpdatePreview>;
  isChanged: boolean;
  /** Whether the store has a newer revision than the form. */
  isBehind: boolean;
  /** The revision that somebody else has made meanwhile. */
  overtakenBy?: Revision;
  onGoOn(): void;
  /** The number of invalid fields. */
  wrong: number;
  /** The problem with the request as a whole. */
  error?: Error;
  /** Whether it was sent to change the store, and not only to check it. */
  isRefused: boolean;
  alertRef: Ref<HTMLDivElement>;
  reason: string;
  onReason(reason: string): void;
  isSaving: boolean;
  onDiscard(): void;
}

export function Effects(props: EffectsProps) {
  const { base, check, isChanged, isBehind, overtakenBy, wrong, error, reason, isSaving } = props;
  const t = useTranslations('store.settings');
  const message = useMessage('reason');
  const preview = isChanged && wrong === 0 && !error ? check.preview : undefined;
  const isSame = preview !== undefined && !check.checking && preview.revision === base.number;
  return (
    <Paper
      component="section"
      bg={CARD}
      withBorder
      radius="lg"
      p={{ base: 'md', xs: 'lg' }}
      aria-labelledby="settings-effects"
    >
      <Stack gap="md">
        <Title order={2} fz="lg" id="settings-effects">
          {t('effects.title')}
        </Title>
        {!isChanged && !isSaving && (
          <Text size="sm" c="dimmed">
            {t('effects.none')}
          </Text>
        )}
        {overtakenBy && <Overtaken by={overtakenBy} onGoOn={props.onGoOn} />}
        {preview && preview.revision > base.number && <Preview name={base.name} preview={preview} />}
        {error && <Trouble {...props} error={error} />}
        <div role="status">
          {isChanged && !error && !isSaving && !overtakenBy && (
            <Verdict
              checking={check.checking}
              wrong={wrong}
              good={t(isSame ? 'effects.same' : 'effects.good')}
            />
          )}
        </div>
        <TextInput
          id={controlId('reason')}
          label={t('reason.label')}
          description={t('reason.description')}
          inputWrapperOrder={INPUT_FIRST}
          value={reason}
          onChange={(event) => props.onReason(event.currentTarget.value)}
          error={message && <span className="untrusted">{message}</span>}
          maxLength={MAX_REASON}
          disabled={isSaving}
          dir="auto"
          autoComplete="off"
        />
        <Button
          type="submit"
          fullWidth
          loading={isSaving}
          disabled={!isChanged || isSame || isBehind || overtakenBy !== undefined}
          leftSection={<IconDeviceFloppy size={20} aria-hidden />}
        >
          {t('save')}
        </Button>
        {isChanged && (
          <Button
            variant="subtle"
            color="gray"
            size="compact-sm"
            disabled={isSaving}
            onClick={props.onDiscard}
          >
            {t('discard')}
          </Button>
        )}
      </Stack>
    </Paper>
  );
}

function Overtaken({ by, onGoOn }: { by: Revision; onGoOn: () => void }) {
  const t = useTranslations('store.settings.meanwhile');
  return (
    <Alert
      color="yellow"
      role="alert"
      icon={<IconUsers aria-hidden />}
      title={
        // Yellow on yellow is hard to read.
        <Text inherit component="span" c="var(--mantine-color-text)">
          {t('title')}
        </Text>
      }
    >
      <Text size="sm" className="untrusted">
        {t('text', { revision: by.number, by: by.by ? 'known' : 'none', who: by.by ?? '' })}
      </Text>
      <Button mt="sm" size="xs" variant="default" onClick={onGoOn}>
        {t('goOn', { revision: by.number })}
      </Button>
    </Alert>
  );
}

function Trouble({ error, isRefused, alertRef, check }: EffectsProps & { error: Error }) {
  const t = useTranslations('store');
  const again = useTranslations('options.check');
  if (isLost(error) && !isRefused) return <Unchecked error={error} />;
  return (
    <Alert
      ref={alertRef}
      tabIndex={-1}
      color="red"
      icon={<IconAlertTriangle aria-hidden />}
      title={t(isRefused ? 'settings.failed' : 'settings.refused')}
    >
      <Text size="sm" className="untrusted">
        {hasChanged(error) ? t('changed') : explain(error)}
      </Text>
      <Text size="sm" mt={6}>
        {t('settings.meanwhile.kept')}
      </Text>
      {!isRefused && (
        <Button mt="sm" size="xs" variant="default" loading={check.checking} onClick={check.again}>
          {again('again')}
        </Button>
      )}
    </Alert>
  );
}
