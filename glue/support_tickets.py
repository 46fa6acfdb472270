# ==================================================================================================
# GENERATED from notebooks/jobs/support_tickets.ipynb by `gluebook export`.
# Do not edit: change the notebook and export it again. CI fails when the two differ.
# ==================================================================================================
import sys

from awsglue.context import GlueContext
from awsglue.job import Job
from awsglue.utils import getResolvedOptions

from gluebook.notebook.parameters import job_arguments
from gluebook.job.runtime import spark_session

_arguments = job_arguments(
    sys.argv,
    getResolvedOptions,
    dataset="support_tickets",
    ledger_table="",
    lake_bucket="",
    pseudonym_secret="",
    max_batch_mb=4096,
    lease_seconds=600,
)
dataset = _arguments["dataset"]
ledger_table = _arguments["ledger_table"]
lake_bucket = _arguments["lake_bucket"]
pseudonym_secret = _arguments["pseudonym_secret"]
max_batch_mb = _arguments["max_batch_mb"]
lease_seconds = _arguments["lease_seconds"]

_options = getResolvedOptions(sys.argv, ["JOB_NAME"])
_job = Job(GlueContext(spark_session(_options["JOB_NAME"]).sparkContext))
_job.init(_options["JOB_NAME"], _options)

# --- Claim what is pending ------------------------------------------------------------------------

from gluebook.job.run import BatchRun
from gluebook.transforms import verbs

run = BatchRun.start(
    dataset=dataset,
    ledger_table=ledger_table,
    lake_bucket=lake_bucket,
    pseudonym_secret=pseudonym_secret,
    max_batch_mb=max_batch_mb,
    lease_seconds=lease_seconds,
)
records = run.records()

# --- Null handling --------------------------------------------------------------------------------

cleaned = records.apply(verbs.blank_to_null)

# --- Personal data --------------------------------------------------------------------------------

masked = cleaned.apply(verbs.pseudonymise, run.pseudonym_key, cleaned.everybody())

# --- Renaming -------------------------------------------------------------------------------------

renamed = masked.apply(verbs.rename_columns)

# --- Type normalisation ---------------------------------------------------------------------------

typed = renamed.apply(verbs.normalise_types)

# --- A fingerprint --------------------------------------------------------------------------------

fingerprinted = typed.apply(verbs.fingerprint)

# --- What only one source can tell ----------------------------------------------------------------

derived = fingerprinted.frames().apply(verbs.derive)
for source in derived.sources:
    print(verbs.derivation(source))

# --- A step in SQL --------------------------------------------------------------------------------

tickets = derived.union()
enriched = run.spark.sql(
    """
    select *,
           case when resolved_at >= opened_at
                then timestampdiff(minute, opened_at, resolved_at) end as minutes_to_resolve
    from {tickets}
    """,
    tickets=tickets,
)

# --- Filtering invalid records --------------------------------------------------------------------

valid, rejects = verbs.split_rejects(enriched)

# --- Deduplication --------------------------------------------------------------------------------

kept = verbs.mark_copies(valid, ("source", "ticket_id", "_row_hash"))

# --- Write, count, pass the gate, publish ---------------------------------------------------------

summary = run.finish(kept, rejects)
print(summary)

_job.commit()
