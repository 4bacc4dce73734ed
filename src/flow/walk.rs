//! The walk of a run from instruction to instruction, to its end or to where it waits.

use super::Broken;
use super::engine::{Ended, Engine, Go, MAX_INSTRUCTIONS, MAX_NESTED_RUNS};
use super::fiber::HeldBack;
use super::park::Parked;
use super::run::Run;
use crate::compile::flow::FlowInstruction;
use crate::text::Span;
use crate::value::{EcoString, Instant, Value};
use crate::world::Wait;

impl Engine<'_> {
    /// Walks a run from where it stands.
    pub(super) fn walk(&mut self, run: &mut Run) -> Result<Ended, Broken> {
        let here = Go::To(run.at as u32);
        self.walk_from(run, here)
    }

    /// The same, with where it goes on first.
    pub(super) fn walk_from(&mut self, run: &mut Run, first: Go) -> Result<Ended, Broken> {
        let code = self.code;
        let Some(flow) = code.flows.get(run.flow) else {
            return Err(Broken::Journal { run: run.id, reason: "its flow is not there".to_string() });
        };
        if self.active.len() > MAX_NESTED_RUNS {
            let failure = self.limit(&format!("{MAX_NESTED_RUNS} runs that wait for each other"), flow.span);
            return Ok(Ended::Failed(failure));
        }
        let mut first = Some(first);
        loop {
            let mut go = match first.take() {
                Some(first) => first,
                None => {
                    let Some(instruction) = flow.instructions.get(run.at) else {
                        return Ok(Ended::Done(Value::None, None));
                    };
                    let span = flow.spans.get(run.at).copied().unwrap_or(flow.span);
                    run.fuel = run.fuel.saturating_sub(1);
                    match instruction {
                        _ if run.fuel == 0 => {
                            Go::Fail(self.limit(&format!("{MAX_INSTRUCTIONS} instructions of a flow"), span))
                        }
                        // Those that run others stand here to keep the stack of nested runs small.
                        FlowInstruction::Step(index) => self.step(run, *index)?,
                        FlowInstruction::Run(flow, arguments) => self.run_statement(run, *flow, *arguments, span)?,
                        instruction => self.instruction(run, instruction, span)?,
                    }
                }
            };
            loop {
                match go {
                    Go::On => run.at += 1,
                    Go::To(target) => run.at = target as usize,
                    Go::End(ended) => return Ok(ended),
                    Go::Park(parked) => match self.waits_somewhere(run, parked)? {
                        Go::Park(parked) => {
                            let nothing = Box::new(Wait::until(Instant::EPOCH, ""));
                            return Ok(Ended::Parked(parked, nothing));
                        }
                        elsewhere => {
                            go = elsewhere;
                            continue;
                        }
                    },
                    Go::Fail(failure) => {
                        go = self.item_failed(run, failure)?;
                        match go {
                            // No loop was for it.
                            Go::Fail(failure) => return Ok(Ended::Failed(failure)),
                            _ => continue,
                        }
                    }
                }
                break;
            }
        }
    }

    /// Lets another part of a run go on when one waits. When none can, the engine waits as far as it has patience;
    /// it gives the wait of the run as a whole when it has none.
    fn waits_somewhere(&mut self, run: &mut Run, parked: Box<Parked>) -> Result<Go, Broken> {
        let parked = match self.put_aside(run, parked)? {
            Go::Park(parked) => parked,
            elsewhere => return Ok(elsewhere),
        };
        // Where nothing but the journal is waited for, nobody asks for the rest of it.
        if !run.replay.is_over() && run.is_side_by_side() && parked.look == Some(Instant::EPOCH) {
            if self.is_ending(run) {
                let span = self.code.flows.get(run.flow).map_or_else(Span::default, |flow| flow.span);
                return Ok(Go::End(Ended::Failed(self.ending(run, span)?)));
            }
            let reason = "it has entries that nothing asks for".to_string();
            return Err(Broken::Journal { run: run.id, reason });
        }
        match self.patience(parked.look) {
            Some(rest) => {
                self.pause(rest)?;
                self.look_again(run)
            }
            None => Ok(Go::Park(parked)),
        }
    }

    fn instruction(&mut self, run: &mut Run, instruction: &FlowInstruction, span: Span) -> Result<Go, Broken> {
        if let FlowInstruction::Return(_) | FlowInstruction::Stop(_) = instruction
            && let Some(depth) = self.holds_back_end(run)
        {
            return self.hold_back(run, depth, HeldBack::End);
        }
        Ok(match instruction {
            FlowInstruction::Evaluate(chunk) => match self.evaluate(run, *chunk)? {
                Ok(_) => Go::On,
                Err(failure) => Go::Fail(failure),
            },
            FlowInstruction::Jump(target) => {
                run.jumps(*target);
                Go::To(*target)
            }
            FlowInstruction::JumpUnless(chunk, target) => match self.evaluate(run, *chunk)? {
                Ok(Value::Bool(true)) => Go::On,
                Ok(_) => Go::To(*target),
                Err(failure) => Go::Fail(failure),
            },
            FlowInstruction::Step(index) => self.step(run, *index)?,
            FlowInstruction::ForEach { list, slot, second, parallel, stop_at_first_failure, end } => {
                self.enter_loop(run, (*list, *parallel), (*slot, *second), *stop_at_first_failure, *end, span)?
            }
            FlowInstruction::Next => self.next_item(run)?,
            FlowInstruction::Leave(scopes) => {
                self.leave(run, usize::from(*scopes))?;
                Go::On
            }
            FlowInstruction::Parallel { branches, end } => self.enter_branches(run, branches, *end)?,
            FlowInstruction::Join => self.join(run)?,
            FlowInstruction::Run(flow, arguments) => self.run_statement(run, *flow, *arguments, span)?,
            FlowInstruction::Start(flow, arguments) => match self.evaluate(run, *arguments)? {
                Ok(arguments) => match self.start_child(run, *flow as usize, arguments, u32::MAX, span)? {
                    Ok(_) => Go::On,
                    Err(halt) => halt.go(),
                },
                Err(failure) => Go::Fail(failure),
            },
            FlowInstruction::Return(None) => Go::End(Ended::Done(Value::None, None)),
            FlowInstruction::Return(Some(chunk)) => match self.evaluate(run, *chunk)? {
                Ok(value) => Go::End(Ended::Done(value, None)),
                Err(failure) => Go::Fail(failure),
            },
            FlowInstruction::Fail(chunk) => match self.evaluate(run, *chunk)? {
                Ok(_) => Go::Fail(self.limit("a `fail` that gave no failure", span)),
                Err(failure) => Go::Fail(failure),
            },
            FlowInstruction::Stop(None) => Go::End(Ended::Done(Value::None, Some(EcoString::new()))),
            FlowInstruction::Stop(Some(chunk)) => match self.evaluate(run, *chunk)? {
                Ok(why) => {
                    let why = EcoString::from(crate::value::display(&why, &self.names));
                    Go::End(Ended::Done(Value::None, Some(why)))
                }
                Err(failure) => Go::Fail(failure),
            },
        })
    }
}
