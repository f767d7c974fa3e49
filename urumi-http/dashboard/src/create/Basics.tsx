// Name, address, engine and owner.
import {
  Button,
  Group,
  NativeSelect,
  Radio,
  SimpleGrid,
  Stack,
  Text,
  TextInput,
  ThemeIcon,
} from '@mantine/core';
import { IconBuildingStore } from '@tabler/icons-react';
import { useState, type ReactNode } from 'react';
import { useTranslations } from 'use-intl';
import type { EngineInfo, Principal } from '../api/types';
import { INPUT_FIRST } from '../options/FieldInput';
import { useMessage } from '../options/messages';
import { controlId } from '../options/problems';
import { humanize } from '../options/schema';
import { idOf, nextId, type Draft } from './draft';

interface PartProps {
  draft: Draft;
  onChange(change: Partial<Draft>): void;
}

function said(message: string | undefined): ReactNode {
  return message && <span className="untrusted">{message}</span>;
}

export function NameInput({ draft, onChange, onLeave }: PartProps & { onLeave(): void }) {
  const t = useTranslations('create.name');
  const message = useMessage('name');
  return (
    <TextInput
      id={controlId('name')}
      size="md"
      label={t('label')}
      description={t('description')}
      inputWrapperOrder={INPUT_FIRST}
      placeholder={t('placeholder')}
      required
      dir="auto"
      value={draft.name}
      onChange={(event) => onChange({ name: event.currentTarget.value })}
      onBlur={onLeave}
      error={said(message)}
      autoComplete="off"
    />
  );
}

/** `taken`: another store has the id. */
export function IdInput({ draft, onChange, taken }: PartProps & { taken: boolean }) {
  const t = useTranslations('create.id');
  const message = useMessage('id');
  const id = idOf(draft);
  return (
    <Stack gap="xs">
      <TextInput
        id={controlId('id')}
        label={t('label')}
        description={t('description')}
        inputWrapperOrder={INPUT_FIRST}
        placeholder={t('placeholder')}
        value={id}
        onChange={(event) => onChange({ id: event.currentTarget.value })}
        error={said(message)}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
      />
      {taken && id !== '' && (
        <Group>
          <Button
            size="xs"
            variant="light"
            onClick={() => {
              onChange({ id: nextId(id) });
              document.getElementById(controlId('id'))?.focus();
            }}
          >
            <span className="untrusted">{t('use', { id: nextId(id) })}</span>
          </Button>
        </Group>
      )}
    </Stack>
  );
}

interface EngineProps extends PartProps {
  engines: EngineInfo[];
  engine: string;
}

export function EngineCards({ engines, engine, onChange }: EngineProps) {
  const t = useTranslations('create.engine');
  const message = useMessage('engine');
  return (
    <Radio.Group
      value={engine}
      onChange={(next) => onChange({ engine: next })}
      label={t('label')}
      description={t('description')}
      error={said(message)}
    >
      <SimpleGrid cols={{ base: 1, xs: engines.length > 1 ? 2 : 1 }} spacing="sm" mt="xs">
        {engines.map(({ name, description }, index) => (
          <Radio.Card
            key={name}
            value={name}
            id={index === 0 ? controlId('engine') : undefined}
            className="engine"
            radius="md"
            p="md"
            aria-label={humanize(name)}
            aria-describedby={controlId(`engine ${name}`)}
          >
            <Group wrap="nowrap" gap="md">
              <ThemeIcon size={42} radius="md" variant="light" aria-hidden>
                <IconBuildingStore size={24} />
              </ThemeIcon>
              <Stack gap={2} flex={1} miw={0}>
                <Text fw={600}>{humanize(name)}</Text>
                <Text size="sm" c="dimmed" id={controlId(`engine ${name}`)}>
                  {description.replace(/^\w+: (\p{L})/u, (_, first: string) => first.toUpperCase())}
                </Text>
              </Stack>
              <Radio.Indicator />
            </Group>
          </Radio.Card>
        ))}
      </SimpleGrid>
    </Radio.Group>
  );
}

const OTHER = 'other';

export function OwnerChoice({ draft, onChange, who }: PartProps & { who: Principal }) {
  const t = useTranslations('create.owner');
  const message = useMessage('owner');
  const teams = who.teams.map((team) => ({ value: `team:${team}`, label: t('team', { team }) }));
  const isListed = draft.owner === undefined || teams.some(({ value }) => value === draft.owner);
  const [other, setOther] = useState(!isListed);
  return (
    <SimpleGrid cols={{ base: 1, xs: other ? 2 : 1 }} spacing="md">
      <NativeSelect
        id={controlId(other ? 'owner-choice' : 'owner')}
        label={t('label')}
        description={t('description')}
        inputWrapperOrder={INPUT_FIRST}
        error={other ? undefined : said(message)}
        value={other ? OTHER : (draft.owner ?? '')}
        data={[
          { value: '', label: t('me', { subject: who.subject }) },
          ...teams,
          ...(who.role === 'admin' ? [{ value: OTHER, label: t('other') }] : []),
        ]}
        onChange={({ currentTarget: { value } }) => {
          setOther(value === OTHER);
          // An empty other owner does not mean the user: the API then asks for it.
          onChange({ owner: value === OTHER ? '' : value === '' ? undefined : value });
        }}
      />
      {other && (
        <TextInput
          id={controlId('owner')}
          label={t('otherLabel')}
          description={t('otherDescription')}
          inputWrapperOrder={INPUT_FIRST}
          placeholder="team:web"
          value={draft.owner ?? ''}
          onChange={(event) => onChange({ owner: event.currentTarget.value })}
          error={said(message)}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
        />
      )}
    </SimpleGrid>
  );
}
