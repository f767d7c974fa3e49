// Options with any number of rows: names with values, texts, and small forms.
import { ActionIcon, Button, Fieldset, Group, Stack, Text, TextInput } from '@mantine/core';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useId, type ReactNode } from 'react';
import { useTranslations } from 'use-intl';
import { FieldInput, INPUT_FIRST, PLAIN, SECRET, useDescription, type InputProps } from './FieldInput';
import { useMessage, useWarning } from './messages';
import { controlId } from './problems';
import { leavesOf, type Leaf } from './schema';
import { rowsOf, withValue, type Entry, type Values } from './values';

type Of<Kind extends Leaf['kind']> = InputProps<Extract<Leaf, { kind: Kind }>>;

export function ListInput({ leaf, scope }: Of<'list'>) {
  const t = useTranslations('options');
  return (
    <Rows<string> leaf={leaf} scope={scope} empty="">
      {(row, index, change, control) => (
        <RowText
          control={control}
          label={t('row', { label: leaf.label, number: index + 1 })}
          value={row}
          onChange={change}
        />
      )}
    </Rows>
  );
}

export function EntriesInput({ leaf, scope }: Of<'map'>) {
  const t = useTranslations('options');
  return (
    <Rows<Entry> leaf={leaf} scope={scope} empty={['', '']}>
      {([name, value], index, change, control) => {
        const of = { label: leaf.label, number: index + 1 };
        return (
          <Group grow gap="xs" align="flex-start" preventGrowOverflow={false} wrap="nowrap">
            <RowText
              control={control}
              label={t('entryName', of)}
              placeholder={t('name')}
              value={name}
              onChange={(next) => change([next, value])}
            />
            <RowText
              label={t('entryValue', of)}
              placeholder={t('value')}
              secret={leaf.secret}
              value={value}
              onChange={(next) => change([name, next])}
            />
          </Group>
        );
      }}
    </Rows>
  );
}

export function ItemsInput({ leaf, scope }: Of<'items'>) {
  return (
    <Rows<Values> leaf={leaf} scope={scope} empty={{}}>
      {(row, _index, change, control) => (
        <Group grow gap="sm" align="flex-start">
          {leavesOf(leaf.fields).map((inner) => (
            <FieldInput
              key={inner.path}
              leaf={inner}
              scope={{
                prefix: `${control}.`,
                values: row,
                onChange: (path, value) => change(withValue(row, path, value)),
              }}
            />
          ))}
        </Group>
      )}
    </Rows>
  );
}

interface RowTextProps {
  /** None if the API's message is shown next to it. */
  control?: string;
  label: string;
  placeholder?: string;
  secret?: boolean;
  value: string;
  onChange(value: string): void;
}

function RowText({ control, label, placeholder, secret, value, onChange }: RowTextProps) {
  const t = useTranslations('options');
  const error = useMessage(control ?? '');
  const warning = useWarning(control ?? '');
  return (
    <TextInput
      id={control && controlId(control)}
      aria-label={label}
      placeholder={placeholder}
      value={value}
      error={error && <span className="untrusted">{error}</span>}
      description={
        warning && (
          <Text span inherit fw={600} className="untrusted">
            {t('warning', { message: warning })}
          </Text>
        )
      }
      inputWrapperOrder={INPUT_FIRST}
      onChange={(event) => onChange(event.currentTarget.value)}
      {...(secret ? SECRET : PLAIN)}
    />
  );
}

interface RowsProps<Row> extends InputProps {
  empty: Row;
  children(row: Row, index: number, change: (row: Row) => void, control: string): ReactNode;
}

function Rows<Row>({ leaf, scope, empty, children }: RowsProps<Row>) {
  const t = useTranslations('options');
  const descriptionId = useId();
  const control = scope.prefix + leaf.path;
  const error = useMessage(control);
  const description = useDescription(leaf);
  const rows = rowsOf<Row>(scope.values, leaf.path);
  const set = (next: Row[]) => scope.onChange(leaf.path, next.length ? next : undefined);
  const focusRow = (index: number) =>
    // After the row has been rendered.
    setTimeout(() => {
      const row = document.getElementById(`${controlId(control)}-rows`)?.children[index];
      (row?.querySelector<HTMLElement>('input, select, textarea') ?? addButton())?.focus();
    });
  const addButton = () => document.getElementById(controlId(control));
  const standard = Array.isArray(leaf.default) && !leaf.locked ? leaf.default.join(', ') : '';

  return (
    <Fieldset
      legend={leaf.label}
      aria-describedby={descriptionId}
      disabled={scope.values[leaf.path] === null || leaf.locked}
    >
      <Stack gap="sm">
        <Text size="xs" c="dimmed" id={descriptionId}>
          {description} {standard && t('defaultIs', { value: standard })}
          {error && (
            <Text component="span" c="red" className="untrusted">
              {error}
            </Text>
          )}
        </Text>
        {rows.length > 0 && (
          <Stack gap="sm" id={`${controlId(control)}-rows`}>
            {rows.map((row, index) => (
              <Group key={index} gap="xs" align="flex-start" wrap="nowrap">
                <Stack flex={1} gap="xs" miw={0}>
                  {children(
                    row,
                    index,
                    (next) => set(rows.map((old, at) => (at === index ? next : old))),
                    `${control}[${index}]`,
                  )}
                </Stack>
                {!leaf.locked && (
                  <ActionIcon
                    variant="subtle"
                    color="gray"
                    size={36}
                    aria-label={t('removeRow', { label: leaf.label, number: index + 1 })}
                    onClick={() => {
                      set(rows.filter((_, at) => at !== index));
                      focusRow(Math.max(0, index - 1));
                    }}
                  >
                    <IconTrash size={18} aria-hidden />
                  </ActionIcon>
                )}
              </Group>
            ))}
          </Stack>
        )}
        {leaf.locked ? (
          rows.length === 0 && <Text size="sm">{t('unset')}</Text>
        ) : (
          <Group>
            <Button
              id={controlId(control)}
              variant="default"
              size="xs"
              leftSection={<IconPlus size={14} aria-hidden />}
              aria-label={t('addTo', { label: leaf.label })}
              onClick={() => {
                set([...rows, empty]);
                focusRow(rows.length);
              }}
            >
              {t('add')}
            </Button>
          </Group>
        )}
      </Stack>
    </Fieldset>
  );
}
