//! Answers that say no, and what to do next.

use axum::Json;
use axum::extract::rejection::{FormRejection, JsonRejection, PathRejection, QueryRejection};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use control::Refused;
use serde::Serialize;
use store::{ConsentId, StoreError};
use utoipa::ToSchema;

use crate::agreement::NotAgreed;

/// An answer that says no.
#[derive(Debug)]
pub(crate) struct Failure {
    status: StatusCode,
    body: Problem,
}

/// What is wrong, and what to do next.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// What is wrong.
    error: String,
    /// What to do next, where that can be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

impl Failure {
    pub(crate) fn new(status: StatusCode, error: impl Into<String>, hint: Option<&str>) -> Self {
        Self { status, body: Problem { error: error.into(), hint: hint.map(str::to_owned) } }
    }

    pub(crate) fn not_found(what: impl Into<String>, hint: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, what, Some(hint))
    }

    pub(crate) fn bad(error: impl Into<String>, hint: Option<&str>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error, hint)
    }

    /// What is asked for is understood, and cannot be done.
    pub(crate) fn unfit(error: impl Into<String>, hint: &str) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, error, Some(hint))
    }

    pub(crate) fn busy() -> Self {
        let error = "too many requests are waiting for the control loop";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, error, Some("try again in a second"))
    }

    pub(crate) fn unavailable(reason: String) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, reason, Some("nothing was changed; try again"))
    }

    pub(crate) fn broken(reason: impl ToString) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, reason.to_string(), None)
    }
}

impl Failure {
    /// What it says, for whoever says it otherwise.
    pub(crate) fn told(&self) -> (StatusCode, &str, Option<&str>) {
        (self.status, &self.body.error, self.body.hint.as_deref())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body)).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            let value = header::HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
        }
        response
    }
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        let status = match refused {
            Refused::Invalid { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            Refused::NotOpen(_) | Refused::NoNode(_) => StatusCode::NOT_FOUND,
            Refused::NotRunning(_) => StatusCode::CONFLICT,
        };
        let hint = match refused {
            Refused::Invalid { .. } => "nothing was taken in; correct it and hand it in again",
            Refused::NotOpen(_) | Refused::NotRunning(_) => "GET /api/v1/workloads lists what is there",
            Refused::NoNode(_) => "GET /api/v1/nodes lists them",
        };
        Self::new(status, refused.to_string(), Some(hint))
    }
}

impl From<NotAgreed> for Failure {
    fn from(why: NotAgreed) -> Self {
        let conflict = |error: String, hint: Option<&str>| Self::new(StatusCode::CONFLICT, error, hint);
        match why {
            NotAgreed::Applied(ConsentId(id)) => {
                let hint = format!("`trimtab undo {id}` takes it back");
                conflict(format!("it was applied before, under consent {id}"), Some(&hint))
            }
            NotAgreed::Holds => conflict("what it would set holds already".into(), None),
            NotAgreed::Changed => {
                let error = "the rules are not those that it was proved against any more";
                conflict(error.into(), Some("nothing was changed; run `trimtab optimize` again"))
            }
            NotAgreed::TakenBack => conflict("it was taken back before".into(), None),
            NotAgreed::Unknown(ConsentId(id)) => {
                Self::not_found(format!("there is no consent {id}"), "`trimtab ledger` lists them")
            }
            NotAgreed::Refused(refused) => Self::unfit(refused.to_string(), "nothing was changed"),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::broken(error)
    }
}

impl From<JsonRejection> for Failure {
    fn from(rejection: JsonRejection) -> Self {
        let hint = "the body is JSON of the shape that GET /api/v1/openapi.json tells, sent as application/json";
        Self::new(rejection.status(), rejection.body_text(), Some(hint))
    }
}

impl From<QueryRejection> for Failure {
    fn from(rejection: QueryRejection) -> Self {
        Self::bad(rejection.body_text(), Some("GET /api/v1/openapi.json tells the parameters"))
    }
}

impl From<FormRejection> for Failure {
    fn from(rejection: FormRejection) -> Self {
        Self::new(rejection.status(), rejection.body_text(), Some("send the form as the page has it"))
    }
}

impl From<PathRejection> for Failure {
    fn from(rejection: PathRejection) -> Self {
        Self::bad(rejection.body_text(), None)
    }
}
