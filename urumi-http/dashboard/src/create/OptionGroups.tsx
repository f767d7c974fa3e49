// All other options of an engine, in collapsed groups, because their defaults work.
import { Accordion, Badge, Fieldset, Group, SimpleGrid, Stack, Text } from '@mantine/core';
import { useTranslations } from 'use-intl';
import { FieldInput } from './FieldInput';
import { controlId } from './problems';
import type { Scope } from './messages';
import { leavesOf, type Field, type Group as OptionGroup } from './schema';

interface GroupsProps {
  groups: OptionGroup[];
  scope: Scope;
  /** The number of problems in each group. */
  problems: ReadonlyMap<string, number>;
  opened: string[];
  onOpen(opened: string[]): void;
}

export function OptionGroups({ groups, scope, problems, opened, onOpen }: GroupsProps) {
  const t = useTranslations('create.options');
  return (
    <Accordion multiple value={opened} onChange={onOpen} variant="separated" order={3} keepMounted={false}>
      {groups.map((group) => {
        const value = group.path || REST;
        const wrong = problems.get(group.path) ?? 0;
        const changed = leavesOf(group.fields).filter((leaf) => leaf.path in scope.values).length;
        return (
          <Accordion.Item key={value} value={value} id={controlId(`group ${value}`)}>
            <Accordion.Control>
              <Group justify="space-between" wrap="nowrap" gap="xs" pe="xs">
                <div>
                  <Text fw={600} size="sm">
                    {group.label || t('rest')}
                  </Text>
                  <Text size="xs" c="dimmed" lineClamp={opened.includes(value) ? undefined : 2}>
                    {group.path ? group.description : t('restHint')}
                  </Text>
                </div>
                <Group gap={6} wrap="nowrap">
                  {changed > 0 && <Badge variant="light">{t('changed', { count: changed })}</Badge>}
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

function Fields({ fields, scope }: { fields: Field[]; scope: Scope }) {
  const narrow = fields.filter((field) => !WIDE.has(field.kind));
  const wide = fields.filter((field) => WIDE.has(field.kind));
  const pairs = wide.length > 1 && wide.every(isSmall);
  const whole = (field: Field) =>
    field.kind === 'group' ? (
      <SubGroup key={field.path} group={field} scope={scope} />
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

function SubGroup({ group, scope }: { group: OptionGroup; scope: Scope }) {
  const id = controlId(`about ${group.path}`);
  return (
    <Fieldset legend={group.label} aria-describedby={id}>
      <Text size="xs" c="dimmed" mb="sm" id={id}>
        {group.description}
      </Text>
      <Fields fields={group.fields} scope={scope} />
    </Fieldset>
  );
}
