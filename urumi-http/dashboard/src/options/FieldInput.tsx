// The input for one option. An unchanged option shows its default and is not sent.
import {
  Checkbox,
  ColorInput,
  JsonInput,
  NativeSelect,
  NumberInput,
  Stack,
  Switch,
  Text,
  TextInput,
} from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslations } from 'use-intl';
import { controlId } from './problems';
import { useMessage, type Scope } from './messages';
import { PictureInput } from './PictureInput';
import { EntriesInput, ItemsInput, ListInput } from './RowsInput';
import type { Choice, Leaf } from './schema';

export const INPUT_FIRST: ('label' | 'input' | 'description' | 'error')[] = [
  'label',
  'input',
  'description',
  'error',
];

export interface InputProps<L extends Leaf = Leaf> {
  leaf: L;
  scope: Scope;
}

export function FieldInput({ leaf, scope }: InputProps) {
  const t = useTranslations('options');
  const value = scope.values[leaf.path];
  if (!leaf.nullable || leaf.default === undefined || leaf.locked) return <Input leaf={leaf} scope={scope} />;
  return (
    <Stack gap={6} justify="flex-start">
      <Input leaf={leaf} scope={scope} />
      <Checkbox
        size="xs"
        checked={value === null}
        onChange={(event) => scope.onChange(leaf.path, event.currentTarget.checked ? null : undefined)}
        label={t('without', { label: leaf.label })}
      />
    </Stack>
  );
}

/** An input for a text, or for a secret, which a browser must neither show nor remember. */
export const PLAIN = { type: 'text', autoComplete: 'off', spellCheck: false } as const;
export const SECRET = { type: 'password', autoComplete: 'new-password', spellCheck: false } as const;

/** An input's description: the option's meaning, and why the user cannot choose it freely. */
export function useDescription(leaf: Leaf): ReactNode {
  const t = useTranslations('options');
  const policy = leaf.policy ?? (leaf.locked ? t('lockedReason') : undefined);
  const hint = leaf.secret && !leaf.locked;
  if (policy === undefined && !hint) return leaf.description;
  return (
    <>
      {leaf.description}
      {policy !== undefined && (
        <Text span inherit display="block" fw={600} className="untrusted">
          {policy}
        </Text>
      )}
      {hint && (
        <Text span inherit display="block">
          {t('secretHint')}
        </Text>
      )}
    </>
  );
}

function Input({ leaf, scope }: InputProps) {
  const t = useTranslations('options');
  const control = scope.prefix + leaf.path;
  const error = useMessage(control);
  const value = scope.values[leaf.path];
  const set = (next: unknown) => scope.onChange(leaf.path, next);
  const text = typeof value === 'string' ? value : '';
  const common = {
    id: controlId(control),
    label: leaf.label,
    description: useDescription(leaf),
    error: error && <span className="untrusted">{error}</span>,
    disabled: value === null || leaf.locked,
    required: leaf.required,
    // Descriptions differ in length. Below the inputs, they keep inputs in one row at the same height.
    inputWrapperOrder: INPUT_FIRST,
  };
  const standard = leaf.secret ? undefined : (leaf.default ?? scope.resolved?.(leaf.path));
  const placeholder = ['string', 'number'].includes(typeof standard)
    ? String(standard)
    : leaf.locked
      ? t('unset')
      : undefined;

  switch (leaf.kind) {
    case 'text':
      return (
        <TextInput
          {...common}
          value={text}
          placeholder={placeholder}
          onChange={(event) => set(event.currentTarget.value)}
          {...(leaf.secret ? SECRET : PLAIN)}
        />
      );
    case 'number':
      return (
        <NumberInput
          {...common}
          value={typeof value === 'number' ? value : text}
          placeholder={placeholder}
          onChange={set}
          min={leaf.minimum}
          max={leaf.maximum}
          allowDecimal={!leaf.integer}
          clampBehavior="none"
        />
      );
    case 'flag':
      if (leaf.nullable || leaf.default === undefined) {
        const choices = [
          { value: 'true', label: t('yes') },
          { value: 'false', label: t('no') },
        ];
        return (
          <NativeSelect
            {...common}
            data={[{ value: '', label: t('automatic') }, ...choices]}
            value={value === undefined || value === null ? '' : String(value)}
            onChange={({ currentTarget: { value: next } }) => set(next === '' ? undefined : next === 'true')}
          />
        );
      }
      return (
        <Switch
          id={common.id}
          label={common.label}
          description={common.description}
          error={common.error}
          disabled={common.disabled}
          mt={4}
          checked={typeof value === 'boolean' ? value : Boolean(leaf.default)}
          onChange={({ currentTarget: { checked } }) => set(checked === leaf.default ? undefined : checked)}
        />
      );
    case 'choice':
      return (
        <NativeSelect
          {...common}
          data={[{ value: '', label: ofDefault(leaf.choices, leaf.default) }, ...leaf.choices]}
          value={text}
          onChange={(event) => set(event.currentTarget.value)}
        />
      );
    case 'colour':
      return (
        <ColorInput
          {...common}
          value={text}
          placeholder={placeholder ?? t('default')}
          onChange={set}
          fixOnBlur={false}
          withEyeDropper={false}
          swatches={SWATCHES}
          popoverProps={{ withinPortal: false }}
        />
      );
    case 'picture':
      return <PictureInput leaf={leaf} scope={scope} />;
    case 'map':
      return <EntriesInput leaf={leaf} scope={scope} />;
    case 'list':
      return <ListInput leaf={leaf} scope={scope} />;
    case 'items':
      return <ItemsInput leaf={leaf} scope={scope} />;
    case 'json':
      return (
        <JsonInput
          {...common}
          value={text}
          placeholder={leaf.default === undefined ? undefined : JSON.stringify(leaf.default)}
          onChange={set}
          autosize
          minRows={2}
        />
      );
  }

  function ofDefault(choices: Choice[], of: unknown): string {
    const label = choices.find((choice) => choice.value === of)?.label;
    return label === undefined ? t('default') : t('defaultIs', { value: label });
  }
}

const SWATCHES = [
  '#111827',
  '#ffffff',
  '#fdf6ec',
  '#b42318',
  '#c2410c',
  '#b7791f',
  '#0a7d4f',
  '#0b7285',
  '#1d4ed8',
  '#6d28d9',
  '#be185d',
  '#7c4a2d',
];
