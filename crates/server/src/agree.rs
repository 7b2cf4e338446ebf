//! To do what was recommended, and to take it back: the one way that pages, the API and the command line go.

use control::Rule;
use fleet::recommendation::{Recommendation, Step};
use store::{ConsentId, Deed};

use crate::agreement::{Agreement, NotAgreed};
use crate::api::reading;
use crate::failure::Failure;
use crate::recommended;
use crate::state::State;

/// Does what was recommended under this id. Gives the consent.
pub(crate) async fn apply(state: &State, id: String, by: String) -> Result<ConsentId, Failure> {
    let (folder, reader) = (state.folder.clone(), state.reader.clone());
    let to = reading(move || Ok(recommended::read(&folder, &reader)?.find(&id)?.clone())).await?;
    let before = rules(state, &to, &to.undo)?;
    let rules = rules(state, &to, &to.change)?;
    let deed = Deed::Agreed { to: Box::new(to), by };
    state.plane.agree(Agreement { deed, rules, before }).await?.map_err(Failure::from)
}

/// Takes a consent back. Whether it was in force.
pub(crate) async fn undo(state: &State, consent: i64, by: String) -> Result<bool, Failure> {
    let reader = state.reader.clone();
    let known = reading(move || Ok(reader.consents()?)).await?.into_iter().find(|known| known.id.0 == consent);
    let known = known.ok_or_else(|| Failure::from(NotAgreed::Unknown(ConsentId(consent))))?;
    if known.undone.is_some() {
        return Ok(false);
    }
    let rules = rules(state, &known.recommendation, &known.recommendation.undo)?;
    let deed = Deed::TakenBack { consent: known.id, by };
    match state.plane.agree(Agreement { deed, rules, before: Vec::new() }).await? {
        Err(NotAgreed::TakenBack) => Ok(false),
        done => done.map(|_| true).map_err(Failure::from),
    }
}

fn rules(state: &State, of: &Recommendation, steps: &[Step]) -> Result<Vec<Rule>, Failure> {
    if let Some(step) = of.change.iter().chain(&of.undo).find(|step| step.system != Step::TRIMTAB) {
        let error = format!("this is done to {}, which Trimtab does not steer", step.system);
        return Err(Failure::unfit(error, "do it there, as it is shown"));
    }
    recommended::rules(steps, state.rule_of).map_err(|why| Failure::unfit(why, "run `trimtab optimize` again"))
}
