// The form that changes a store: its inputs, the API's answers about them, and the request that changes the store.
import { Box, Fieldset, Grid, Stack, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useMemo, useRef, useState, type FormEvent } from 'react';
import { useTranslations } from 'use-intl';
import { ApiError } from '../../api/problem';
import type { EngineInfo, FieldProblem, Revision, Store, UpdateStore } from '../../api/types';
import { INPUT_FIRST } from '../../options/FieldInput';
import { FirstOptions } from '../../options/FirstOptions';
import { focusSoon } from '../../options/focus';
import { checkLimits } from '../../options/limits';
import { MessagesContext, type Scope } from '../../options/messages';
import { MoreOptions } from '../../options/MoreOptions';
import { controlId, countByGroup, messagesByControl, place } from '../../options/problems';
import { ProblemSummary } from '../../options/ProblemSummary';
import type { JsonSchema } from '../../options/schema';
import { Section } from '../../options/Section';
import { useCheck } from '../../options/useCheck';
import { useOpenGroups } from '../../options/useOpenGroups';
import { lockedValues, valueAt, type Json, type Values } from '../../options/values';
import { despiteStatus, previewUpdate, update, useChange } from '../changes';
import { revisionsQuery } from '../history/revisionsQuery';
import { Effects } from './Effects';
import { chosenValues, differing, edited, livingForm, patchOf, secretValues, withEdit } from './living';
import { optionsQuery } from './optionsQuery';
import classes from './SettingsTab.module.css';

interface FormProps {
  store: Store;
  engine: EngineInfo;
  /** The present revision. */
  present: Revision;
  /** The options in force. */
  effective: Json;
}

export function ChangeForm({ store, engine, present, effective }: FormProps) {
  const t = useTranslations('store.settings');
  const first = useTranslations('options.first');
  const limits = useTranslations('options.limits');
  const client = useQueryClient();
  // The revision that the edits are about: another one only when the user has seen it.
  const [base, setBase] = useState(present);
  const [name, setName] = useState<string>();
  const [edits, setEdits] = useState<Values>({});
  const [reason, setReason] = useState('');
  const [refused, setRefused] = useState<{ request: string; error?: Error }>();
  const openGroups = useOpenGroups();
  const summary = useRef<HTMLDivElement>(null);
  const alert = useRef<HTMLDivElement>(null);

  const secret = t('secret');
  const form = useMemo(
    () => livingForm(engine.options as JsonSchema, { requested: base.requested, effective }, secret),
    [engine, base, effective, secret],
  );
  const fields = [...form.first, ...form.groups];
  const chosen = chosenValues(form, base.requested);
  const values = edited(chosen, edits);
  const patch = patchOf(form, chosen, values);
  const isRenamed = name !== undefined && name !== base.name;
  const isChanged = isRenamed || Object.keys(patch).length > 0;
  const request: UpdateStore = {
    ...(isRenamed && { name }),
    // The API's description has no type for options, because each engine has its own.
    options: patch as UpdateStore['options'],
    ...(reason.trim() !== '' && { reason: reason.trim() }),
  };
  const text = JSON.stringify(request);

  const saving = useChange(async (seen) => {
    const changed = await despiteStatus(update(request))(seen);
    // The form goes on from the new revision, without showing the one before again.
    await Promise.all([
      client.prefetchQuery(revisionsQuery(changed)),
      client.prefetchQuery(optionsQuery(changed)),
    ]);
    return changed;
  });
  const isOvertaken = isChanged && present.number !== base.number && !saving.isPending;
  // Until the new revision is loaded, nothing must be saved on top of it.
  const isBehind = !saving.isPending && (store.revision ?? base.number) !== base.number;
  if (!isChanged && present.number !== base.number) setBase(present);

  const exceeded = checkLimits(fields, values, limits);
  const check = useCheck({
    about: [store.id, present.number],
    request,
    ask: (asked, signal) => previewUpdate(store.id, asked, signal),
    enabled: isChanged && !saving.isPending && exceeded.length === 0,
  });

  const isRefused = refused?.request === text;
  const error = !isChanged
    ? undefined
    : isRefused
      ? refused.error
      : exceeded.length > 0
        ? undefined
        : check.error;
  const problems = place(exceeded.length > 0 ? exceeded : fieldProblems(error), form, values);
  const unplaced = problems.filter(({ control }) => control === undefined);
  const summed = isRefused ? problems : unplaced;
  const preview = isChanged ? check.preview : undefined;
  const messages = {
    errors: messagesByControl(problems),
    warnings: messagesByControl(place(preview?.warnings ?? [], form, values)),
  };
  const inForce = (path: string) =>
    valueAt(base.requested, path) === undefined ? valueAt(effective, path) : undefined;
  const scope: Scope = {
    prefix: 'options.',
    values: { ...values, ...lockedValues(fields, inForce), ...secretValues(form, base.requested) },
    onChange: (path, value) => setEdits((before) => withEdit(form, chosen, before, path, value)),
    resolved: inForce,
  };

  function submit(event: FormEvent) {
    event.preventDefault();
    if (!isChanged || isOvertaken || isBehind || saving.isPending) return;
    if (exceeded.length > 0) {
      refuse(exceeded);
      return;
    }
    setRefused(undefined);
    saving.mutate(store, {
      onSuccess() {
        discard();
        // The button that had the focus has nothing to save now, and the progress is shown at the top.
        focusSoon(() => document.getElementById('settings-title'));
      },
      onError: (reason) => refuse(fieldProblems(reason), reason),
    });
  }

  /** `error`: the API's answer; none if the request was not sent. */
  function refuse(problems: FieldProblem[], error?: Error) {
    setRefused({ request: text, error });
    openGroups.open(place(problems, form, values).flatMap(({ group }) => group ?? []));
    focusSoon(() => (problems.length ? summary.current : alert.current));
  }

  function discard() {
    setName(undefined);
    setEdits({});
    setReason('');
    setRefused(undefined);
  }

  const nameError = messages.errors.get('name');
  return (
    <MessagesContext value={messages}>
      <form onSubmit={submit} noValidate aria-labelledby="settings-title">
        <Grid gap="xl">
          <Grid.Col span={{ base: 12, md: 7.5 }}>
            {summed.length > 0 && <ProblemSummary ref={summary} problems={summed} onGoTo={openGroups.goTo} />}
            <Fieldset variant="unstyled" disabled={saving.isPending} aria-labelledby="settings-title">
              <Stack gap="lg">
                <Section title={t('basics')}>
                  <TextInput
                    id={controlId('name')}
                    label={t('name.label')}
                    description={t('name.description')}
                    inputWrapperOrder={INPUT_FIRST}
                    required
                    dir="auto"
                    value={name ?? base.name}
                    onChange={(event) => setName(event.currentTarget.value)}
                    error={nameError && <span className="untrusted">{nameError}</span>}
                    autoComplete="off"
                  />
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
                    changed={(of) => differing(of, chosen, values).length}
                    problems={countByGroup(problems)}
                    openGroups={openGroups}
                  />
                )}
              </Stack>
            </Fieldset>
          </Grid.Col>
          <Grid.Col span={{ base: 12, md: 4.5 }}>
            <Box className={classes.aside}>
              <Effects
                store={store}
                base={base}
                check={check}
                isChanged={isChanged}
                isBehind={isBehind}
                overtakenBy={isOvertaken ? present : undefined}
                onGoOn={() => {
                  setBase(present);
                  setRefused(undefined);
                }}
                wrong={problems.length}
                error={fieldProblems(error).length > 0 ? undefined : error}
                isRefused={isRefused}
                alertRef={alert}
                reason={reason}
                onReason={setReason}
                isSaving={saving.isPending}
                onDiscard={discard}
              />
            </Box>
          </Grid.Col>
        </Grid>
      </form>
    </MessagesContext>
  );
}

function fieldProblems(error: unknown): FieldProblem[] {
  return error instanceof ApiError ? error.fields : [];
}
