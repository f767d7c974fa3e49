// The form: its inputs, the API's answers about them, and the one request that creates the store.
import {
  Box,
  Button,
  Collapse,
  Fieldset,
  Grid,
  Group,
  Paper,
  Stack,
  Text,
  Title,
  Badge,
} from '@mantine/core';
import { IconChevronDown, IconChevronUp } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useMemo, useRef, useState, type FormEvent, type ReactNode } from 'react';
import { useTranslations } from 'use-intl';
import { ApiError } from '../api/problem';
import type { EngineInfo, FieldProblem, Principal } from '../api/types';
import { noteStore } from '../live/stores';
import { EngineCards, IdInput, NameInput, OwnerChoice } from './Basics';
import { clearDraft, loadDraft, requestOf, saveDraft, wasSent, type Creation, type Draft } from './draft';
import { FirstOptions } from './FirstOptions';
import { checkLimits } from './limits';
import { MessagesContext, type Scope } from './messages';
import { groupValue, OptionGroups } from './OptionGroups';
import { controlId, messagesByControl, place, type PlacedProblem } from './problems';
import { ProblemSummary } from './ProblemSummary';
import { formOf, leavesOf, type JsonSchema } from './schema';
import { create } from './send';
import { CARD, SidePanel } from './SidePanel';
import { fieldProblems, useCheck } from './useCheck';
import { changedOf, lockedValues, valueAt, withValue, type Values } from './values';

interface FormProps {
  engines: [EngineInfo, ...EngineInfo[]];
  who: Principal;
}

export function CreateForm({ engines, who }: FormProps) {
  const t = useTranslations('create');
  const limits = useTranslations('create.limits');
  const client = useQueryClient();
  const navigate = useNavigate();
  const [draft, setDraft] = useState(loadDraft);
  // By engine. They are never stored: a reload forgets them.
  const [secrets, setSecrets] = useState<Record<string, Values>>({});
  const [begun, setBegun] = useState(false);
  const [leftName, setLeftName] = useState(false);
  const [round, setRound] = useState(0);
  const [opened, setOpened] = useState<string[]>([]);
  const [showsAll, setShowsAll] = useState(false);
  const [failed, setFailed] = useState(0);
  const [refused, setRefused] = useState<{ request: string; error?: Error }>();
  const busy = useRef(false);
  const summary = useRef<HTMLDivElement>(null);
  const alert = useRef<HTMLDivElement>(null);

  const engine = engines.find(({ name }) => name === draft.engine) ?? engines[0];
  const form = useMemo(() => formOf(engine.options as JsonSchema), [engine]);
  const fields = [...form.first, ...form.groups];
  const values = { ...draft.values[engine.name], ...secrets[engine.name] };
  const request = requestOf(draft, engine.name, form, secrets[engine.name]);
  const storable = requestOf(draft, engine.name, form);
  const text = JSON.stringify(request);

  const creation = useMutation({
    mutationFn: (asked: Creation) => create(asked, setFailed),
    networkMode: 'always',
    // The request may have secrets.
    gcTime: 0,
    onSuccess(store) {
      noteStore(client, store);
      clearDraft();
    },
  });
  const isEmpty = draft.name === '' && Object.keys(values).length === 0;
  const exceeded = checkLimits(fields, values, limits);
  const canCheck = (creation.isIdle || creation.isError) && exceeded.length === 0;
  const check = useCheck(request, canCheck && (begun || !isEmpty));

  const isRefused = refused?.request === text;
  // If no answer arrived, the id may belong to the store of this request.
  const isOwnStore = check.error instanceof ApiError && check.error.status === 409 && wasSent(storable);
  const isOutdated = isOwnStore || exceeded.length > 0;
  const error = isRefused ? refused.error : isOutdated ? undefined : check.error;
  const problems = place(exceeded.length > 0 ? exceeded : fieldProblems(error), form, values).filter(
    ({ field }) => field !== 'name' || draft.name !== '' || leftName || isRefused,
  );
  const unplaced = problems.filter(({ control }) => control === undefined);
  const summed = isRefused ? problems : unplaced;
  const messages = {
    errors: messagesByControl(problems),
    warnings: messagesByControl(place(check.preview?.warnings ?? [], form, values)),
  };
  const wrongInGroups = new Map<string, number>();
  for (const { group } of problems) {
    if (group !== undefined) wrongInGroups.set(group, (wrongInGroups.get(group) ?? 0) + 1);
  }

  function change(part: Partial<Draft>) {
    const next = { ...draft, ...part };
    setDraft(next);
    setBegun(true);
    saveDraft(next);
  }

  function changeOption(path: string, value: unknown) {
    const changed = (all: Record<string, Values>) => ({
      ...all,
      [engine.name]: withValue(all[engine.name] ?? {}, path, value),
    });
    if (leavesOf(fields).some((leaf) => leaf.path === path && leaf.secret)) {
      setSecrets(changed(secrets));
      setBegun(true);
    } else change({ values: changed(draft.values) });
  }

  const resolved = (path: string) => valueAt(check.preview?.options, path);
  const shown = { ...values, ...lockedValues(fields, resolved) };
  const scope: Scope = { prefix: 'options.', values: shown, onChange: changeOption, resolved };

  function open(groups: string[]) {
    if (groups.length === 0) return;
    setShowsAll(true);
    setOpened((before) => [...new Set([...before, ...groups.map(groupValue)])]);
  }

  function goTo({ control, group }: PlacedProblem) {
    if (control === undefined) return;
    if (group !== undefined) open([group]);
    focusSoon(() => document.getElementById(controlId(control)));
  }

  function submit(event: FormEvent) {
    event.preventDefault();
    // A second click may happen before the button is disabled.
    if (busy.current) return;
    if (exceeded.length > 0) {
      refuse(exceeded);
      return;
    }
    busy.current = true;
    setFailed(0);
    setRefused(undefined);
    creation.mutate(
      { request, storable },
      {
        onSuccess: ({ id }) => void navigate({ to: '/stores/$id', params: { id } }),
        onError: (reason) => refuse(fieldProblems(reason), reason),
        onSettled() {
          busy.current = false;
        },
      },
    );
  }

  /** `error`: the API's answer; none if the request was not sent. */
  function refuse(problems: FieldProblem[], error?: Error) {
    setRefused({ request: text, error });
    const groups = place(problems, form, values).flatMap(({ group }) => group ?? []);
    open(groups);
    focusSoon(() => (problems.length ? summary.current : alert.current));
  }

  function startOver() {
    setDraft(clearDraft());
    setSecrets({});
    setBegun(false);
    setRound(round + 1);
    setLeftName(false);
    setRefused(undefined);
    setOpened([]);
    focusSoon(() => document.getElementById(controlId('name')));
  }

  const changed = changedOf(form.groups, values).length;
  const wrong = [...wrongInGroups.values()].reduce((sum, count) => sum + count, 0);

  return (
    <MessagesContext value={messages}>
      <form onSubmit={submit} noValidate aria-labelledby="create-title">
        <Grid gap="xl">
          <Grid.Col span={{ base: 12, md: 7.5 }}>
            {summed.length > 0 && <ProblemSummary ref={summary} problems={summed} onGoTo={goTo} />}
            <Fieldset variant="unstyled" disabled={creation.isPending} aria-labelledby="create-title">
              <Stack gap="lg">
                <Section title={t('basics')}>
                  <NameInput draft={draft} onChange={change} onLeave={() => setLeftName(begun)} />
                  <IdInput
                    draft={draft}
                    onChange={change}
                    taken={error instanceof ApiError && error.problem.code === 'already-exists'}
                  />
                  <EngineCards draft={draft} onChange={change} engines={engines} engine={engine.name} />
                  {(who.teams.length > 0 || who.role === 'admin') && (
                    <OwnerChoice key={round} draft={draft} onChange={change} who={who} />
                  )}
                </Section>
                {form.first.length > 0 && (
                  <Section title={t('first.title')} lead={t('first.lead')}>
                    <FirstOptions leaves={form.first} scope={scope} />
                  </Section>
                )}
                {form.groups.length > 0 && (
                  <Section title={t('options.title')} lead={t('options.lead')}>
                    <Group gap="xs">
                      <Button
                        variant="default"
                        aria-expanded={showsAll}
                        aria-controls="create-all-options"
                        rightSection={
                          showsAll ? (
                            <IconChevronUp size={16} aria-hidden />
                          ) : (
                            <IconChevronDown size={16} aria-hidden />
                          )
                        }
                        onClick={() => setShowsAll(!showsAll)}
                      >
                        {showsAll ? t('options.hide') : t('options.show', { count: form.groups.length })}
                      </Button>
                      {changed > 0 && (
                        <Badge variant="light">{t('options.changed', { count: changed })}</Badge>
                      )}
                      {wrong > 0 && <Badge color="red.9">{t('options.wrong', { count: wrong })}</Badge>}
                    </Group>
                    <Collapse expanded={showsAll} id="create-all-options">
                      <OptionGroups
                        groups={form.groups}
                        scope={scope}
                        problems={wrongInGroups}
                        opened={opened}
                        onOpen={setOpened}
                      />
                    </Collapse>
                  </Section>
                )}
              </Stack>
            </Fieldset>
          </Grid.Col>
          <Grid.Col span={{ base: 12, md: 4.5 }}>
            <Box className="create-aside">
              <SidePanel
                draft={draft}
                leaves={leavesOf(fields)}
                values={shown}
                check={check}
                isEmpty={isEmpty}
                wrong={problems.length}
                error={fieldProblems(error).length ? undefined : error}
                isRefused={isRefused}
                alertRef={alert}
                isCreating={creation.isPending || creation.isSuccess}
                failed={failed}
                onStartOver={startOver}
              />
            </Box>
          </Grid.Col>
        </Grid>
      </form>
    </MessagesContext>
  );
}

function Section({ title, lead, children }: { title: string; lead?: string; children: ReactNode }) {
  return (
    <Paper component="section" bg={CARD} withBorder radius="lg" p={{ base: 'md', xs: 'xl' }}>
      <Title order={2} fz="lg">
        {title}
      </Title>
      {lead && (
        <Text size="sm" c="dimmed" mt={4}>
          {lead}
        </Text>
      )}
      <Stack gap="lg" mt="md">
        {children}
      </Stack>
    </Paper>
  );
}

/** Moves the focus as soon as its element exists. */
function focusSoon(find: () => HTMLElement | null, tries = 30) {
  setTimeout(() => {
    const element = find();
    if (element) {
      element.focus();
      element.scrollIntoView({ block: 'center' });
    } else if (tries > 0) focusSoon(find, tries - 1);
  }, 20);
}
