// The list of problems, each with a link to its input.
import { Alert, Anchor, List, Text } from '@mantine/core';
import { IconAlertCircle } from '@tabler/icons-react';
import type { Ref } from 'react';
import { useTranslations } from 'use-intl';
import { controlId, type PlacedProblem } from './problems';
import { humanize } from './schema';

interface SummaryProps {
  problems: PlacedProblem[];
  onGoTo(problem: PlacedProblem): void;
  ref: Ref<HTMLDivElement>;
}

export function ProblemSummary({ problems, onGoTo, ref }: SummaryProps) {
  const t = useTranslations('create.problems');
  return (
    <Alert
      ref={ref}
      tabIndex={-1}
      color="red"
      variant="light"
      mb="lg"
      icon={<IconAlertCircle aria-hidden />}
      title={t('title', { count: problems.length })}
    >
      <List size="sm" spacing={4}>
        {problems.map((problem) => (
          <List.Item key={`${problem.field} ${problem.message}`}>
            <Text size="sm" className="untrusted">
              {problem.control === undefined ? (
                <strong>{title(problem.field)}</strong>
              ) : (
                <Anchor
                  href={`#${controlId(problem.control)}`}
                  c="inherit"
                  fw={600}
                  underline="always"
                  onClick={(event) => {
                    event.preventDefault();
                    onGoTo(problem);
                  }}
                >
                  {title(problem.field)}
                </Anchor>
              )}
              : {problem.message}
            </Text>
          </List.Item>
        ))}
      </List>
    </Alert>
  );

  /** `options.database.secret.name` with the labels of the inputs: Database › Secret › Name. */
  function title(field: string): string {
    if (field === 'name' || field === 'id' || field === 'engine' || field === 'owner') return t(field);
    const keys = field.replace(/^options\./, '').split('.');
    return field === 'options' ? t('options') : keys.map(spoken).join(' › ');
  }
}

/** `footerLinks[0]`, counted from one: Footer links 1. */
function spoken(key: string): string {
  return humanize(key.replace(/\[(\d+)\]/, (_, index) => ` ${Number(index) + 1}`));
}
