//! Whether it is there.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

/// That it is there, and which.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    /// The version of Trimtab.
    version: &'static str,
}

/// Whether the server is there.
#[utoipa::path(get, path = "/api/v1/health", responses((status = 200, body = Health)))]
pub(crate) async fn health() -> Json<Health> {
    Json(Health { version: env!("CARGO_PKG_VERSION") })
}
