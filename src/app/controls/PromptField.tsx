import { useEffect, useState } from 'react'
import { Button, Label, Text, TextArea, TextField } from 'react-aria-components'

import { applyExample, unusedPrompt } from '../../store/request'
import type { TokenCount } from '../../worker/protocol'
import { useModel, useRequest, useStudio, useTake } from '../studio-context'

/** Pause after the last key before tokens are counted, ms. */
const COUNT_DELAY = 150

export function PromptField() {
  const studio = useStudio()
  const prompt = useRequest((state) => state.prompt)
  const examples = useModel((state) => state.loaded?.manifest.examples)
  const tokens = useTokenCount(prompt)
  const over = tokens !== undefined && tokens.used > tokens.limit
  // Not before it has started: until then its prompt may still be refused.
  const follows = useTake(
    ({ phase, video, request }) => phase === 'running' && video !== undefined && request?.endless === true,
  )
  const unused = follows ? unusedPrompt(prompt, tokens) : undefined
  return (
    <div className="field">
      <TextField
        className="textfield"
        value={prompt}
        isInvalid={over || unused !== undefined}
        onChange={(value) => studio.request.setState({ prompt: value })}
      >
        <div className="field-head">
          <Label>Prompt</Label>
          <span className="readout" data-over={over}>
            {tokens && prompt.trim() ? `${tokens.used} / ${tokens.limit} tokens` : ''}
          </span>
        </div>
        <TextArea
          className="textarea"
          rows={3}
          placeholder="a red ball bouncing on grass"
          spellCheck={false}
        />
        <div aria-live="polite">
          {unused === undefined ? null : (
            <Text slot="description" className="prompt-note">
              {unused}
            </Text>
          )}
        </div>
      </TextField>
      {examples && examples.length > 0 ? (
        <ul className="chips" aria-label="Examples">
          {examples.map((example) => (
            <li key={`${example.prompt} ${example.seed}`}>
              <Button
                className="chip"
                data-active={example.prompt === prompt}
                onPress={() => applyExample(studio.request, example)}
              >
                {example.prompt}
              </Button>
            </li>
          ))}
        </ul>
      ) : null}
    </div>
  )
}

/** Tokens of the prompt as typed, counted in the worker once typing pauses. */
function useTokenCount(prompt: string): TokenCount | undefined {
  const studio = useStudio()
  const ready = useModel((state) => state.phase === 'ready')
  const [count, setCount] = useState<TokenCount>()
  useEffect(() => {
    if (!ready) return
    let current = true
    const timer = setTimeout(() => {
      studio.generator.countTokens(prompt).then(
        (value) => current && setCount(value),
        () => current && setCount(undefined),
      )
    }, COUNT_DELAY)
    return () => {
      current = false
      clearTimeout(timer)
    }
  }, [studio, prompt, ready])
  return ready ? count : undefined
}
