//! (to come)
/// stub
#[derive(Default)]
pub struct MedusaEngine;
impl super::Engine for MedusaEngine {
    fn name(&self) -> &str {
        "medusa"
    }
    fn info(&self) -> super::EngineInfo {
        unimplemented!()
    }
    fn resolve(
        &self,
        _: &super::NewStore<'_>,
        _: &crate::store::Options,
    ) -> Result<crate::store::Options, Vec<crate::error::FieldError>> {
        unimplemented!()
    }
    fn render(
        &self,
        _: &crate::store::StoreSpec,
        _: &dyn crate::secret::SecretSource,
    ) -> Result<Vec<super::Manifest>, super::RenderError> {
        unimplemented!()
    }
    fn components(&self, _: &crate::store::StoreSpec) -> Result<Vec<super::Component>, super::RenderError> {
        unimplemented!()
    }
    fn urls(&self, _: &crate::store::StoreSpec) -> Result<crate::store::StoreUrls, super::RenderError> {
        unimplemented!()
    }
}
