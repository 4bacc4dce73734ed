//! `project.company`.

use super::executor::Executor;
use super::problem::Problem;
use crate::value::Value;

pub(super) fn company(executor: &mut Executor) -> Result<Value, Problem> {
    let company = executor.record_type("Company")?;
    let seller = &executor.world.settings.seller;
    let fields = [&seller.name, &seller.address, &seller.country, &seller.vat_id, &seller.iban];
    Ok(Value::record(company, fields.map(|text| Value::Text(text.clone()))))
}
