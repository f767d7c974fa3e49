// The list of problems, each with a link to its input.
import { Alert, Anchor, List, Text } from '@mantine/core';
import { IconAlertCircle } from '@tabler/icons-react';
import type { Ref } from 'react';
import { useTranslations } from 'use-intl';
import { optionName } from './names';
import { controlId, isBasic, type PlacedProblem } from './problems';

interface SummaryProps {
  problems: PlacedProblem[];
  onGoTo(problem: PlacedProblem): void;
  ref: Ref<HTMLDivElement>;
}

export function ProblemSummary({ problems, onGoTo, ref }: SummaryProps) {
  const t = useTranslations('options.problems');
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

  function title(field: string): string {
    if (isBasic(field)) return t(field);
    return field === 'options' ? t('options') : optionName(field.replace(/^options\./, ''));
  }
}
