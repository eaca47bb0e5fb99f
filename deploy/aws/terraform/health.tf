# The same as health.yaml, for whoever uses Terraform: applied in the account that speaks for the organization. Name a
# provider with an alias for each region in use, us-east-1 and the backup region us-west-2 among them, and repeat the
# rule with its target for each; the role is for all regions.

terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

variable "hub_bus_arn" {
  type        = string
  description = "The help desk's bus (BusArn of hub.yaml)"
}

provider "aws" {
  alias  = "first"
  region = "us-east-1"
}

provider "aws" {
  alias  = "backup"
  region = "us-west-2"
}

data "aws_caller_identity" "here" {
  provider = aws.first
}

data "aws_partition" "here" {
  provider = aws.first
}

locals {
  pattern = jsonencode({
    "source"      = ["aws.health"]
    "detail-type" = ["AWS Health Event", "AWS Health Abuse Event"]
  })
}

resource "aws_iam_role" "health" {
  provider = aws.first
  name     = "PartnerHealthEvents"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.here.account_id }
        ArnLike = {
          "aws:SourceArn" = "arn:${data.aws_partition.here.partition}:events:*:${data.aws_caller_identity.here.account_id}:rule/partner-health"
        }
      }
    }]
  })
}

resource "aws_iam_role_policy" "health" {
  provider = aws.first
  name     = "ToTheHub"
  role     = aws_iam_role.health.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = "events:PutEvents"
      Resource = var.hub_bus_arn
    }]
  })
}

resource "aws_cloudwatch_event_rule" "first" {
  provider      = aws.first
  name          = "partner-health"
  description   = "AWS Health for the partner's help desk"
  event_pattern = local.pattern
}

resource "aws_cloudwatch_event_target" "first" {
  provider  = aws.first
  rule      = aws_cloudwatch_event_rule.first.name
  target_id = "partner-hub"
  arn       = var.hub_bus_arn
  role_arn  = aws_iam_role.health.arn
}

resource "aws_cloudwatch_event_rule" "backup" {
  provider      = aws.backup
  name          = "partner-health"
  description   = "AWS Health for the partner's help desk"
  event_pattern = local.pattern
}

resource "aws_cloudwatch_event_target" "backup" {
  provider  = aws.backup
  rule      = aws_cloudwatch_event_rule.backup.name
  target_id = "partner-hub"
  arn       = var.hub_bus_arn
  role_arn  = aws_iam_role.health.arn
}
