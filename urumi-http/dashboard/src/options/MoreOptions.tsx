// All options besides the first ones, collapsed until somebody asks for them.
import { Badge, Button, Collapse, Group } from '@mantine/core';
import { IconChevronDown, IconChevronUp } from '@tabler/icons-react';
import { useTranslations } from 'use-intl';
import { OptionGroups } from './OptionGroups';
import { Section } from './Section';
import type { Scope } from './messages';
import type { Field, Group as OptionGroup } from './schema';
import type { OpenGroups } from './useOpenGroups';

interface MoreProps {
  lead: string;
  groups: OptionGroup[];
  scope: Scope;
  /** How many of the fields the user has changed. */
  changed(fields: Field[]): number;
  /** The number of problems in each group. */
  problems: ReadonlyMap<string, number>;
  openGroups: OpenGroups;
}

export function MoreOptions({ lead, groups, scope, changed, problems, openGroups }: MoreProps) {
  const t = useTranslations('options');
  const { shown, show, opened, setOpened } = openGroups;
  const count = changed(groups);
  const wrong = [...problems.values()].reduce((sum, count) => sum + count, 0);
  return (
    <Section title={t('title')} lead={lead}>
      <Group gap="xs">
        <Button
          variant="default"
          aria-expanded={shown}
          aria-controls="all-options"
          rightSection={
            shown ? <IconChevronUp size={16} aria-hidden /> : <IconChevronDown size={16} aria-hidden />
          }
          onClick={() => show(!shown)}
        >
          {shown ? t('hide') : t('show', { count: groups.length })}
        </Button>
        {count > 0 && <Badge variant="light">{t('changed', { count })}</Badge>}
        {wrong > 0 && <Badge color="red.9">{t('wrong', { count: wrong })}</Badge>}
      </Group>
      <Collapse expanded={shown} id="all-options">
        <OptionGroups
          groups={groups}
          scope={scope}
          changed={changed}
          problems={problems}
          opened={opened}
          onOpen={setOpened}
        />
      </Collapse>
    </Section>
  );
}
