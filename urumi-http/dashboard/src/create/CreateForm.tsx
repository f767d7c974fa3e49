// The form: its inputs, the API's answers about them, and the one request that creates the store.
import { Box, Fieldset, Grid, Stack } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useMemo, useRef, useState, type FormEvent } from 'react';
import { useTranslations } from 'use-intl';
import { ApiError } from '../api/problem';
import type { EngineInfo, FieldProblem, Principal } from '../api/types';
import { noteStore } from '../live/stores';
import { FirstOptions } from '../options/FirstOptions';
import { focusSoon } from '../options/focus';
import { checkLimits } from '../options/limits';
import { MessagesContext, type Scope } from '../options/messages';
import { MoreOptions } from '../options/MoreOptions';
import { controlId, countByGroup, messagesByControl, place } from '../options/problems';
import { ProblemSummary } from '../options/ProblemSummary';
import { formOf, leavesOf, type JsonSchema } from '../options/schema';
import { Section } from '../options/Section';
import { useCheck } from '../options/useCheck';
import { useOpenGroups } from '../options/useOpenGroups';
import { changedOf, lockedValues, valueAt, withValue, type Values } from '../options/values';
import { EngineCards, IdInput, NameInput, OwnerChoice } from './Basics';
import { clearDraft, loadDraft, requestOf, saveDraft, wasSent, type Creation, type Draft } from './draft';
import { create, fieldProblems, preview } from './send';
import { SidePanel } from './SidePanel';

interface FormProps {
  engines: [EngineInfo, ...EngineInfo[]];
  who: Principal;
}

export function CreateForm({ engines, who }: FormProps) {
  const t = useTranslations('create');
  const limits = useTranslations('options.limits');
  const first = useTranslations('options.first');
  const client = useQueryClient();
  const navigate = useNavigate();
  const [draft, setDraft] = useState(loadDraft);
  // By engine. They are never stored: a reload forgets them.
  const [secrets, setSecrets] = useState<Record<string, Values>>({});
  const [begun, setBegun] = useState(false);
  const [leftName, setLeftName] = useState(false);
  const [round, setRound] = useState(0);
  const openGroups = useOpenGroups();
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
  const check = useCheck({
    about: ['creation'],
    request,
    ask: preview,
    enabled: canCheck && (begun || !isEmpty),
  });

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
    openGroups.open(groups);
    focusSoon(() => (problems.length ? summary.current : alert.current));
  }

  function startOver() {
    setDraft(clearDraft());
    setSecrets({});
    setBegun(false);
    setRound(round + 1);
    setLeftName(false);
    setRefused(undefined);
    openGroups.setOpened([]);
    focusSoon(() => document.getElementById(controlId('name')));
  }

  return (
    <MessagesContext value={messages}>
      <form onSubmit={submit} noValidate aria-labelledby="create-title">
        <Grid gap="xl">
          <Grid.Col span={{ base: 12, md: 7.5 }}>
            {summed.length > 0 && <ProblemSummary ref={summary} problems={summed} onGoTo={openGroups.goTo} />}
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
                  <Section title={first('title')} lead={first('lead')}>
                    <FirstOptions leaves={form.first} scope={scope} />
                  </Section>
                )}
                {form.groups.length > 0 && (
                  <MoreOptions
                    lead={t('moreLead')}
                    groups={form.groups}
                    scope={scope}
                    changed={(of) => changedOf(of, values).length}
                    problems={countByGroup(problems)}
                    openGroups={openGroups}
                  />
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
