// All other options of an engine, in collapsed groups, because their defaults work.
import { Accordion, Badge, Fieldset, Group, SimpleGrid, Stack, Text } from '@mantine/core';
import { IconLock } from '@tabler/icons-react';
import { useTranslations } from 'use-intl';
import { FieldInput } from './FieldInput';
import { controlId } from './problems';
import type { Scope } from './messages';
import { isLocked, LOCKED, type Field, type Group as OptionGroup } from './schema';

interface GroupsProps {
  groups: OptionGroup[];
  scope: Scope;
  /** How many of the fields the user has changed. */
  changed(fields: Field[]): number;
  /** The number of problems in each group. */
  problems: ReadonlyMap<string, number>;
  opened: string[];
  onOpen(opened: string[]): void;
}

export function OptionGroups({ groups, scope, changed, problems, opened, onOpen }: GroupsProps) {
  const t = useTranslations('options');
  return (
    <Accordion multiple value={opened} onChange={onOpen} variant="separated" order={3} keepMounted={false}>
      {groups.map((group) => {
        const value = group.path || REST;
        const wrong = problems.get(group.path) ?? 0;
        const count = changed(group.fields);
        const [label, hint] =
          group.path === LOCKED
            ? [t('locked'), t('lockedHint', { names: group.fields.map((field) => field.label).join(', ') })]
            : group.path === ''
              ? [t('rest'), t('restHint')]
              : [group.label, group.description];
        return (
          <Accordion.Item key={value} value={value} id={controlId(`group ${value}`)}>
            <Accordion.Control>
              <Group justify="space-between" wrap="nowrap" gap="xs" pe="xs">
                <div>
                  <Text fw={600} size="sm">
                    {label}
                  </Text>
                  <Text size="xs" c="dimmed" lineClamp={opened.includes(value) ? undefined : 2}>
                    {hint}
                  </Text>
                </div>
                <Group gap={6} wrap="nowrap">
                  {count > 0 && <Badge variant="light">{t('changed', { count })}</Badge>}
                  {wrong > 0 && <Badge color="red.9">{t('wrong', { count: wrong })}</Badge>}
                </Group>
              </Group>
            </Accordion.Control>
            <Accordion.Panel>
              <Fields fields={group.fields} scope={scope} />
            </Accordion.Panel>
          </Accordion.Item>
        );
      })}
    </Accordion>
  );
}

/** The value of the group that has no path. */
const REST = '*';

export function groupValue(path: string): string {
  return path || REST;
}

const WIDE = new Set(['group', 'map', 'list', 'items', 'json']);

interface FieldsProps {
  fields: Field[];
  scope: Scope;
  /** Whether the fields are in a group that is shown as locked. */
  inLocked?: boolean;
}

function Fields({ fields, scope, inLocked = false }: FieldsProps) {
  const narrow = fields.filter((field) => !WIDE.has(field.kind));
  const wide = fields.filter((field) => WIDE.has(field.kind));
  const pairs = wide.length > 1 && wide.every(isSmall);
  const whole = (field: Field) =>
    field.kind === 'group' ? (
      isLocked(field) && !inLocked ? (
        <LockedGroup key={field.path} group={field} scope={scope} />
      ) : (
        <SubGroup key={field.path} group={field} scope={scope} inLocked={inLocked} />
      )
    ) : (
      <FieldInput key={field.path} leaf={field} scope={scope} />
    );
  return (
    <Stack gap="md">
      {narrow.length > 0 && (
        <SimpleGrid cols={{ base: 1, xs: narrow.length > 1 ? 2 : 1 }} spacing="md">
          {narrow.map(
            (field) => field.kind !== 'group' && <FieldInput key={field.path} leaf={field} scope={scope} />,
          )}
        </SimpleGrid>
      )}
      {pairs ? <SimpleGrid cols={{ base: 1, sm: 2 }}>{wide.map(whole)}</SimpleGrid> : wide.map(whole)}
    </Stack>
  );
}

/** Groups with two fields each, such as limits and requests, are placed side by side. */
function isSmall(field: Field): boolean {
  return (
    field.kind === 'group' && field.fields.length <= 2 && !field.fields.some(({ kind }) => WIDE.has(kind))
  );
}

/** One line, which can be opened to see the values. */
function LockedGroup({ group, scope }: { group: OptionGroup; scope: Scope }) {
  const t = useTranslations('options');
  return (
    <Accordion variant="contained" order={4} keepMounted={false}>
      <Accordion.Item value={group.path}>
        <Accordion.Control icon={<IconLock size={16} aria-hidden />}>
          <Text fw={600} size="sm">
            {group.label}
          </Text>
          <Text size="xs" c="dimmed">
            {group.policy ?? t('locked')}
          </Text>
        </Accordion.Control>
        <Accordion.Panel>
          <Fields fields={group.fields} scope={scope} inLocked />
        </Accordion.Panel>
      </Accordion.Item>
    </Accordion>
  );
}

function SubGroup({ group, scope, inLocked }: { group: OptionGroup; scope: Scope; inLocked: boolean }) {
  const id = controlId(`about ${group.path}`);
  return (
    <Fieldset legend={group.label} aria-describedby={id}>
      <Text size="xs" c="dimmed" mb="sm" id={id}>
        {group.description}
      </Text>
      <Fields fields={group.fields} scope={scope} inLocked={inLocked} />
    </Fieldset>
  );
}
